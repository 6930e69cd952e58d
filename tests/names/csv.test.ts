import { lstat, mkdtemp, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { delimiterOf } from '../../src/names/csv.ts'
import { type CsvOptions, type NameList, readNames } from '../../src/names/lists.ts'
import type { NameRow } from '../../src/names/selection.ts'
import { UnreadableFile } from '../../src/names/decode.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'names-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

let files = 0
async function file(content: string | Buffer): Promise<string> {
  const path = join(folder, `list-${files++}.csv`)
  await writeFile(path, content)
  return path
}

async function read(content: string | Buffer, options?: CsvOptions): Promise<NameList> {
  return readNames([await file(content)], options)
}

async function rowsOf(list: NameList, selecting?: Parameters<NameList['select']>[0]): Promise<NameRow[]> {
  const rows: NameRow[] = []
  for await (const batch of list.select(selecting).batches(2)) rows.push(...batch)
  return rows
}

async function displays(content: string | Buffer, options?: CsvOptions): Promise<string[]> {
  return (await rowsOf(await read(content, options))).map(({ name }) => name.display)
}

async function fault(content: string | Buffer, options?: CsvOptions): Promise<string> {
  const error: unknown = await read(content, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(UnreadableFile)
  return (error as UnreadableFile).message
}

/** Text in windows-1251, KOI8-R, as far as these tests need it. */
function cyrillicBytes(text: string, alphabet: (letter: string) => number): Buffer {
  return Buffer.from([...text].map((letter) => (letter < '\u0080' ? letter.charCodeAt(0) : alphabet(letter))))
}
const windows1251 = (text: string) =>
  cyrillicBytes(text, (letter) => (letter === 'ё' ? 0xb8 : letter === 'Ё' ? 0xa8 : letter.charCodeAt(0) - 0x410 + 0xc0))
const koi8 = 'юабцдефгхийклмнопярстужвьызшэщчъ'
const koi8r = (text: string) =>
  cyrillicBytes(text, (letter) => (letter === letter.toLowerCase() ? 0xc0 : 0xe0) + koi8.indexOf(letter.toLowerCase()))

describe('encodings', () => {
  const text = 'имя;количество\nМаша;5\nАртём;7\n'

  test.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a mark', Buffer.from(`\uFEFF${text}`)],
    ['UTF-16 LE', Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['UTF-16 BE', Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
    ['windows-1251', windows1251(text)],
  ])('%s is recognised', async (_, bytes) => {
    expect(await displays(bytes)).toEqual(['Маша', 'Артём'])
  })

  test('they are recognised far behind the beginning, and across pieces', async () => {
    const ascii = Array.from({ length: 12_000 }, (_, n) => `Anna${'abcdefghij'.charAt(n % 10)}\n`).join('')
    for (const bytes of [
      Buffer.from(`${ascii}Маша\n`),
      Buffer.concat([Buffer.from(ascii), windows1251('Маша\nПётр\n')]),
    ]) {
      expect((await displays(bytes)).slice(10, 11)).toEqual(['Маша'])
    }
    // one byte at a time
    const bytes = Buffer.from(`\uFEFF${text}`)
    const stdin = (async function* () {
      for (const byte of bytes) yield Buffer.from([byte])
    })()
    expect((await rowsOf(await readNames(['-'], { stdin }))).map(({ name }) => name.display)).toEqual(['Маша', 'Артём'])
  })

  test('--encoding overrides, with any label', async () => {
    expect(await displays(koi8r('Маша\nАнна\n'), { encoding: 'koi8-r' })).toEqual(['Маша', 'Анна'])
    expect(await displays(Buffer.from('name\nМаша\n', 'utf16le'), { encoding: 'utf-16le' })).toEqual(['Маша'])
    expect(await fault('Маша\n', { encoding: 'klingon' })).toMatch(/^--encoding klingon .*utf-8/)
  })

  test('anything else is a fault that names the remedy', async () => {
    expect(await fault(koi8r('Маша\nАнна\n'))).toMatch(/--encoding/)
    expect(await fault(Buffer.from('José\nZoë\nFrançois\n', 'latin1'))).toMatch(/--encoding/)
    expect(await fault(Buffer.concat([Buffer.from('Маша\n'.repeat(20_000)), windows1251('Маша\n')]))).toMatch(
      /not utf-8, in line 20001:.*UTF-8/,
    )
    expect(await fault(Buffer.from('name\nМаша\n', 'utf16le'))).toMatch(/--encoding utf-16le/)
    expect(await fault(windows1251('Маша\n'), { encoding: 'utf-8' })).toMatch(/utf-8/)
  })

  test('broken bytes and zero bytes are told with their line, wherever a piece ends', async () => {
    const broken = Buffer.concat([Buffer.from('name\r\nМаша\r\nПе'), Buffer.from([0xd1]), Buffer.from('я\r\nАня\r\n')])
    expect(await fault(broken)).toMatch(/neither in UTF-8 \(line 3 has other bytes\)/)
    expect(await fault(Buffer.concat([Buffer.from('\uFEFF'), broken]))).toMatch(/not utf-8, in line 3:/)
    for (const size of [1, 2, 3, 5, 7]) {
      const stdin = (async function* () {
        const bytes = Buffer.concat([Buffer.from('\uFEFF'), broken])
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
      })()
      await expect(readNames(['-'], { stdin })).rejects.toThrow(/not utf-8, in line 3:/)
    }
    expect(await fault('name\r\nМаша\r\nПе\0тя\r\n')).toMatch(/zero byte, in line 3\)/)
  })

  test('a damaged letter is refused with its row', async () => {
    const list = await read('name\nМа\uFFFDа\nПетя\n')
    expect(list.rejects).toMatchObject([{ line: 2, reason: 'not_text' }])
    expect(list.distinct).toBe(1)
  })
})

describe('delimiters', () => {
  test.each([
    ['name,count\nМаша,1\n', ','],
    ['name;count\nМаша;1,5\n', ';'],
    ['Маша;1,5\nПетя;0,5\n', ';'],
    ['name\tnote\nМаша\ta, b; c\nПетя\td\n', '\t'],
    ['name,note\n"Маша","a;b;c"\n"Петя","d;e"\n', ','],
    ['note,name\n"several; lines\n; of; text",Маша\n', ','],
    ['Маша\nПетя\n', ','],
    ['name\nМаша, Петя\nАня\nОля\n', ','],
  ])('%j', (head, delimiter) => {
    expect(delimiterOf(head)).toBe(delimiter)
  })

  test('--delimiter overrides', async () => {
    expect(await displays('id|имя\n1|Маша\n', { delimiter: '|' })).toEqual(['Маша'])
    expect(await displays('id,x\tимя\n1\tМаша\n', { delimiter: 'tab' })).toEqual(['Маша'])
    expect(await fault('Маша\n', { delimiter: 'ab' })).toMatch(/--delimiter/)
    expect(await fault('Маша\n', { delimiter: '"' })).toMatch(/--delimiter/)
  })
})

describe('header and columns', () => {
  test.each([
    'name',
    'Names',
    ' FIRST_NAME ',
    'firstname',
    'First Name',
    'given_name',
    'given name',
    'forename',
    'Имя',
    'ИМЕНА',
    'Ім’я',
  ])('%j is a header', async (header) => {
    expect(await displays(`id,${header}\n1,Маша\n`)).toEqual(['Маша'])
  })

  test('without one, the first row is data and the first column holds the names', async () => {
    const list = await read('Маша,100\nПетя,50\n')
    expect(await rowsOf(list)).toMatchObject([
      { line: 1, count: null },
      { line: 2, count: null },
    ])
    expect(list.rows).toBe(2)
  })

  test("--column takes a header's text or a number", async () => {
    const text = 'Ребёнок,Город,name\nМаша,Омск,Anna\n'
    expect(await displays(text)).toEqual(['Anna'])
    expect(await displays(text, { column: 'ребёнок' })).toEqual(['Маша'])
    expect(await displays(text, { column: '2' })).toEqual(['Омск'])
    expect(await displays('1,Маша\n2,Петя\n', { column: '2' })).toEqual(['Маша', 'Петя'])
    expect(await fault(text, { column: 'Возраст' })).toMatch(/Возраст.*Ребёнок, Город, name/)
    expect(await fault(text, { column: '4' })).toMatch(/no column 4/)
    expect(await fault(text, { column: '0' })).toMatch(/no column/)
  })

  test.each([
    ['ребёнок,количество\nМаша,3\n', 1],
    ['count,child\n3,Маша\n', 2],
    ['say;gender;who\nМа́ша;ж;Маша\n', 3],
    ['who,Пол,2024\nМаша,ж,5\n', 1],
  ])('any known cell makes a header of the first row: %j', async (text, column) => {
    const list = await read(text)
    expect(await rowsOf(list)).toMatchObject([{ line: 2, name: { key: 'маша' } }])
    expect(list.lists).toMatchObject([{ column, headerLine: 1, names: ['Маша'] }])
  })

  test('a name that is written like a header is a name', async () => {
    expect(await displays('Пол\nМаша\n')).toEqual(['Пол', 'Маша'])
    expect(await displays('Пол;12\nМаша;3\n')).toEqual(['Пол', 'Маша'])
    expect(await displays('Say\nAnna\n')).toEqual(['Say', 'Anna'])
  })

  test('--header-row and --no-header overrule', async () => {
    const titled = 'Список класса\n\nкто,количество\nМаша,3\nПетя,1\n'
    const list = await read(titled, { headerRow: 3 })
    expect(await rowsOf(list)).toMatchObject([
      { line: 4, count: 3 },
      { line: 5, count: 1 },
    ])
    expect(list).toMatchObject({
      rows: 3,
      blank: 1,
      rejected: 0,
      lists: [{ column: 1, header: 'кто', headerLine: 3, names: ['Маша', 'Петя'] }],
    })
    expect(await displays('Name\nMasha\n', { header: false })).toEqual(['Name', 'Masha'])
    expect(await displays('x,Name\n1,Masha\n', { header: false, column: '2' })).toEqual(['Name', 'Masha'])
    expect(await displays(`${'a\n'.repeat(29)}имя ребёнка\nМаша\n`, { headerRow: 30 })).toEqual(['Маша'])
    expect(await fault(titled, { headerRow: 2 })).toMatch(/line 2.*blank/)
    expect(await fault('"a\nb"\nМаша\n', { headerRow: 2 })).toMatch(/line 2.*no row begins there/)
    expect(await fault('Маша\n', { headerRow: 9 })).toMatch(/line 9/)
    expect(await fault('Name\nMasha\n', { header: false, column: 'Name' })).toMatch(/--no-header/)
  })

  test('--column finds a header in the first twenty rows, and no further down', async () => {
    const titled = (rows: number) => `${'Отчёт\n'.repeat(rows)}№,Ребёнок,count\n1,Маша,7\n`
    const list = await read(titled(19), { column: 'ребёнок' })
    expect(await rowsOf(list)).toMatchObject([{ line: 21, count: 7, name: { display: 'Маша' } }])
    expect(await fault(titled(20), { column: 'ребёнок' })).toMatch(/first 20 rows/)
    // A count that happens to be the number of a column is no header.
    expect(await displays('Аня,2\nМаша,1\n', { column: '1' })).toEqual(['Аня', 'Маша'])
    expect(await displays('1,Аня\n2,Маша\n', { column: '2' })).toEqual(['Аня', 'Маша'])
  })

  test('what was taken is told, with five names, for each input', async () => {
    const list = await readNames([
      await file('Аня\nаня\nБелла\nВера\nГалина\nДаша\nЕва\n'),
      await file('x,имя\n1,Маша\n'),
    ])
    expect(list.lists).toEqual([
      {
        file: expect.stringContaining('list-') as string,
        column: 1,
        header: null,
        headerLine: null,
        names: ['Аня', 'Белла', 'Вера', 'Галина', 'Даша'],
      },
      { file: expect.stringContaining('list-') as string, column: 2, header: 'имя', headerLine: 1, names: ['Маша'] },
    ])
  })

  test('counts and pronunciations that cannot be read are counted, with the first line', async () => {
    const list = await read(`name,count,say\nМаша,много,\nПетя,-1,\nАня,,\nОля,5,${'а'.repeat(201)}\n`)
    expect(list.unreadable).toEqual({ count: { rows: 2, firstLine: 2 }, say: { rows: 1, firstLine: 5 } })
    expect(list.total).toBe(5)
  })

  test('a list in which hardly anything is a name is doubted, and an empty one with a header is not', async () => {
    expect((await read(`город1\n${'12\n'.repeat(9)}`)).doubt).toMatch(/^Nothing in column 1 /)
    expect((await read(`Маша\n${'12\n'.repeat(10)}`)).doubt).toMatch(
      /^Only 1 of 11 rows in column 1 .*--column.*--no-header/,
    )
    expect((await read(`Маша\n${'12\n'.repeat(9)}`)).doubt).toBeUndefined()
    expect((await read('name,count,say\n')).doubt).toBeUndefined()
  })

  test('blank rows before the first one are counted, however many there are', async () => {
    const list = await read(`${'\n'.repeat(2_000)}name\nМаша\n`)
    expect(list).toMatchObject({ rows: 2_001, blank: 2_000, distinct: 1 })
    expect(await rowsOf(list)).toMatchObject([{ line: 2_002 }])
  })

  test('count, gender and say are read where the header has them', async () => {
    const list = await read('Пол;Имя;Количество;say\nж;Маша;1 200;Ма́ша\nм;Петя;;\nж;маша;300,5;Машка\n')
    expect(await rowsOf(list)).toEqual([
      { line: 2, name: { key: 'маша', display: 'Маша', script: 'Cyrillic' }, count: 1500.5, gender: 'ж', say: 'Ма́ша' },
      { line: 3, name: { key: 'петя', display: 'Петя', script: 'Cyrillic' }, count: null, gender: 'м', say: null },
    ])
    expect(list).toMatchObject({ rows: 3, duplicates: 1, distinct: 2, total: 1500.5 })
  })

  test('the first say that is not empty wins, also in a later row', async () => {
    const list = await read('name,say\nМаша,\nМаша,Ма-ша\nМаша,Марья\nПетя,"Пе\nтя"\nАня,Ан\uFFFDя\n')
    expect((await rowsOf(list)).map(({ say }) => say)).toEqual(['Ма-ша', 'Пе тя', null])
  })

  test('what is longer than anybody takes to say a name is not spoken', async () => {
    const list = await read(`name,say\nМаша,${'а'.repeat(200)}\nПетя,${'а'.repeat(201)}\n`)
    expect((await rowsOf(list)).map(({ say }) => say)).toEqual(['а'.repeat(200), null])
  })
})

describe('rows', () => {
  test.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('%s ends a row', async (_, end) => {
    const list = await read(['name,count', 'Маша,1', '', 'Петя2,1', '"Ан\rна",2', ' , ', 'Оля,1'].join(end))
    expect(list).toMatchObject({ rows: 6, blank: 2, rejected: 2, duplicates: 0, distinct: 2 })
    expect(list.rejects.map(({ line, reason }) => [line, reason])).toEqual([
      [4, 'digits'],
      [5, 'several_names'],
    ])
  })

  test('a CRLF in two pieces is one line end', async () => {
    const stdin = (async function* () {
      for (const byte of Buffer.from('name\r\nX1\r\n\r\nX2\r\n')) yield Buffer.from([byte])
    })()
    const list = await readNames(['-'], { stdin })
    expect(list).toMatchObject({ rows: 3, blank: 1 })
    expect(list.rejects.map(({ line }) => line)).toEqual([2, 4])
  })

  test('line numbers count the breaks inside cells', async () => {
    const list = await read('name,note\nМаша,"one\r\ntwo\r\n\r\nfour"\nX1,\n\nX2,"a\nb"\nX3,\n')
    expect(list.rejects.map(({ line }) => line)).toEqual([6, 8, 10])
  })

  test('too many and too few columns are tolerated; a missing name is not', async () => {
    const list = await read('id,name,count\n1,Маша,5,more,and more\n2,Петя\n3\n')
    expect(list).toMatchObject({ rows: 3, rejected: 1, distinct: 2 })
    expect(list.rejects).toMatchObject([{ line: 4, reason: 'empty', text: '3' }])
  })

  test('two names in one cell are never split silently', async () => {
    const list = await read('name\nМаша, Петя\n"Маша, Петя"\nМаша и Петя\nАня,\nОля,5\n')
    expect(list.rejects.map(({ reason }) => reason)).toEqual(['several_names', 'several_names', 'several_names'])
    expect(list.distinct).toBe(2)
  })

  test('a stray quotation mark spoils its own row only', async () => {
    const list = await read('name\nМаша\nПе"тя\nАня\n"Ира" Иванова\nОля\n')
    expect(list).toMatchObject({ rows: 5, rejected: 2, distinct: 3 })
  })

  test('names of things in JavaScript are names like any other', async () => {
    expect(await displays('name\nConstructor\n__proto__\ntoString\nNull\nConstructor\nhasOwnProperty\n')).toEqual([
      'Constructor',
      'Tostring',
      'Null',
      'Hasownproperty',
    ])
  })

  test('rows add up, and only the first hundred rejects are kept', async () => {
    const list = await read(`name\n${'Маша\nX1\n\n'.repeat(150)}`)
    expect(list).toMatchObject({ rows: 450, blank: 150, rejected: 150, duplicates: 149, distinct: 1 })
    expect(list.rejects).toHaveLength(100)
  })
})

describe('bad files', () => {
  test('missing, a folder, empty, binary', async () => {
    await expect(readNames([join(folder, 'nothing.csv')])).rejects.toThrow(/^There is no file .*nothing\.csv/)
    await mkdir(join(folder, 'names.d'))
    await expect(readNames([join(folder, 'names.d')])).rejects.toThrow(/is a folder/)
    for (const empty of ['', '\uFEFF', '\n\n', ' , \r\n']) expect(await fault(empty)).toMatch(/is empty/)
    expect(await fault(Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'))).toMatch(/a picture/)
    expect(await fault(Buffer.from('504b0304140006000800', 'hex'))).toMatch(/Excel.*CSV/)
    expect(await fault('name\nМа\0ша\n')).toMatch(/not a text file/)
    expect(await fault(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0xfe, 0x81]))).toMatch(/not a text file/)
  })

  test('a quotation mark that is never closed, or a cell that is too long', async () => {
    expect(await fault('name\nМаша\n"Петя\nАня\n')).toMatch(/line 3.*quotation mark|quotation mark.*line 3/)
    expect(await fault(`name\nМаша\n"Петя\n${'Аня\n'.repeat(200_000)}`)).toMatch(/line 3/)
    expect(await fault(`name\n"Петя\n${'Аня\n'.repeat(2_600)}"Оля"\n`)).toMatch(/line 2/)
    expect(await fault('name,x\n"Маша,1\nПетя,2\n"Аня",3\n')).toMatch(/line 2/)
    expect(await fault(`name,x\nМаша,${'x'.repeat(10_001)}\n`)).toMatch(/10,000 characters \(line 2\)(?!.*quotation)/)
    expect(await fault(`name\nМаша\n${'x'.repeat(1_100_000)}\n`)).toMatch(/\(line 3\)(?!.*quotation)/)
    expect(await fault(`name\n"${'Аня\n'.repeat(300_000)}`)).toMatch(/\(line 2\).*quotation/)
    expect(await displays(`name,x\nМаша,${'x'.repeat(10_000)}\n`)).toEqual(['Маша'])
  })

  test('a fault in the last row of the last file leaves no list', async () => {
    const good = await file('Маша\n')
    const bad = await file(`${'Петя\n'.repeat(20_000)}"`)
    await expect(readNames([good, bad])).rejects.toThrow(UnreadableFile)
  })
})

describe('several inputs and what is taken of them', () => {
  test('are one list, each with a header of its own', async () => {
    const first = await file('name,count\nМаша,1\nX1,2\n')
    const second = await file('count;name\n3;Петя\n4;МАША\n')
    const list = await readNames([first, second, '-'], {
      stdin: (async function* () {
        yield Buffer.from('Аня\nПетя\n')
      })(),
    })
    expect(list).toMatchObject({ rows: 6, rejected: 1, duplicates: 2, distinct: 3, total: 8 })
    expect(list.rejects).toMatchObject([{ file: first, line: 3 }])
    expect((await rowsOf(list)).map(({ name, count }) => [name.display, count])).toEqual([
      ['Маша', 5],
      ['Петя', 3],
      ['Аня', null],
    ])
  })

  test('limit takes the first distinct names in file order, with all their counts', async () => {
    const list = await read('name,count\nМаша,1\nмаша,2\nПетя,5\nАня,9\nМаша,4\n')
    expect((await rowsOf(list, { limit: 2 })).map(({ name, count }) => [name.display, count])).toEqual([
      ['Маша', 7],
      ['Петя', 5],
    ])
    expect(list.select({ limit: 2 })).toMatchObject({ size: 2, share: 12 / 21 })
    expect(list.select({ limit: 0 }).size).toBe(0)
    expect(list.select({ limit: 99 }).size).toBe(3)
  })

  test('coverage takes the fewest names that make up the share', async () => {
    const list = await read('name,count\nРедкая,1\nМаша,50\nПетя,30\nАня,19\nНикто,\n')
    const of = async (coverage: number) => (await rowsOf(list, { coverage })).map(({ name }) => name.display)
    expect(await of(0.5)).toEqual(['Маша'])
    expect(await of(0.51)).toEqual(['Маша', 'Петя'])
    expect(await of(0.99)).toEqual(['Маша', 'Петя', 'Аня'])
    expect(await of(1)).toEqual(['Маша', 'Петя', 'Аня', 'Редкая'])
    // 0.28 * 25 comes out a little above 7
    expect((await read('name,count\nМаша,7\nПетя,6\nАня,6\nОля,6\n')).select({ coverage: 0.28 }).size).toBe(1)
    expect(list.select({ coverage: 0.9, limit: 1 })).toMatchObject({ size: 1, share: 0.5 })
    const uncounted = await read('Маша\n')
    expect(() => uncounted.select({ coverage: 0.9 })).toThrow(/count/)
    expect(uncounted.select().share).toBeNull()
  })

  test('names in an extra script keep it', async () => {
    const list = await read('name\nგიორგი\nМаша\n', { extraScripts: ['Georgian'] })
    expect((await rowsOf(list)).map(({ name }) => name.script)).toEqual(['Georgian', 'Cyrillic'])
  })

  test('batches have the size that was asked for', async () => {
    const list = await read(Array.from({ length: 5 }, (_, n) => `Маша${'абвгд'.charAt(n)}`).join('\n'))
    const sizes: number[] = []
    for await (const batch of list.select().batches(2)) sizes.push(batch.length)
    expect(sizes).toEqual([2, 2, 1])
  })
})

describe('the report on rejects', () => {
  test('is CSV that a spreadsheet shows and does not run', async () => {
    const report = join(folder, 'rejects.csv')
    await read(`name\nМаша\n=1+1\n"+cmd|' /C calc'!A0"\n@x\n-2\n"a ""b"", c1"\n${'x'.repeat(200)}1\n`, {
      rejects: report,
    })
    const text = await readFile(report, 'utf8')
    expect(text.startsWith('\uFEFFline,reason,text,code\n')).toBe(true)
    const cells: string[] = []
    for (const row of text.trim().split('\n').slice(1))
      cells.push(row.replace(/^(\d+),("[^"]*"|[^,]*),/, '').replace(/,[a-z_]+$/, ''))
    expect(cells).toEqual(["'=1+1", "'+cmd|' /C calc'!A0", "'@x", "'-2", '"a ""b"", c1"', 'x'.repeat(80)])
    expect((await stat(report)).mode & 0o777).toBe(0o600)
  })

  test('an earlier one is left as it was when the list cannot be read, and nothing lies beside it', async () => {
    const report = join(folder, 'yesterday.csv')
    await writeFile(report, 'yesterday')
    await expect(readNames([await file('name\nX1\n'), await file('name\n"\n')], { rejects: report })).rejects.toThrow(
      UnreadableFile,
    )
    expect(await readFile(report, 'utf8')).toBe('yesterday')
    await read('name\nX1\n', { rejects: report })
    expect(await readFile(report, 'utf8')).toContain('X1')
    expect((await readdir(folder)).filter((name) => name.includes('.part'))).toEqual([])
  })

  test('goes where a link leads, and a device stays what it is', async () => {
    await writeFile(join(folder, 'real.csv'), '')
    await symlink('real.csv', join(folder, 'link.csv'))
    await read('name\nX1\n', { rejects: join(folder, 'link.csv') })
    expect((await lstat(join(folder, 'link.csv'))).isSymbolicLink()).toBe(true)
    expect(await readFile(join(folder, 'real.csv'), 'utf8')).toContain('X1')
    await read('name\nX1\n', { rejects: '/dev/null' })
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
  })

  test('names the input when there are several, and is written whole', async () => {
    const report = join(folder, 'many.csv')
    const paths = [await file(`name\n${'X1\n'.repeat(2_000)}`), await file('name\nY2\n')]
    await readNames(paths, { rejects: report })
    const rows = (await readFile(report, 'utf8')).trimEnd().split('\n')
    expect(rows).toHaveLength(2_002)
    expect(rows[0]).toBe('\uFEFFline,reason,text,file,code')
    expect(rows.at(-1)).toMatch(/^2,.*,Y2,.*\.csv,digits$/)
  })

  test('can be read again as a list', async () => {
    const report = join(folder, 'again.csv')
    await read('name\nМаша!\n', { rejects: report })
    expect(await readNames([report], { column: 'text' })).toMatchObject({ rows: 1, rejected: 1 })
  })

  test('never replaces a list, and says when it cannot be written', async () => {
    const path = await file('name\nX1\n')
    await expect(readNames([path], { rejects: path })).rejects.toThrow(/the list itself/)
    expect(await readFile(path, 'utf8')).toBe('name\nX1\n')
    await expect(readNames([path], { rejects: join(folder, 'no', 'such.csv') })).rejects.toThrow(/cannot be written/)
  })
})
