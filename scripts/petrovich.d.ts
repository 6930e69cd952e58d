/** The package brings no types of its own. */
declare module 'petrovich' {
  export default function petrovich(
    person: { first: string; gender: 'male' | 'female' | 'androgynous' },
    into: 'genitive' | 'dative' | 'accusative' | 'instrumental' | 'prepositional',
  ): { first: string }
}
