/** What people read, in Russian and English. Never under a parse mode: a name is written as it is. */

/** The languages the bot answers in. */
export type Language = 'ru' | 'en'

/** Russian for whoever's Telegram speaks a language in which people commonly read Russian, else English. */
export function languageOf(code: string | undefined): Language {
  return ['ru', 'uk', 'be', 'kk', 'ky', 'uz', 'tg', 'tt', 'hy', 'az', 'ka', 'mo'].includes(
    (code ?? 'ru').slice(0, 2).toLowerCase(),
  )
    ? 'ru'
    : 'en'
}

interface Texts {
  welcome: string
  help: string
  caption(name: string): string
  making(name: string): string
  stillMaking(name: string): string
  onItsWay: string
  failed(name: string, minutes: number): string
  tooManyWaiting: string
  tooManyToday: string
  notText: string
  noTemplate: string
  trouble: string
}

const minutesRu = (minutes: number) =>
  minutes <= 1 ? 'через минуту' : minutes < 60 ? `через ${minutes} мин.` : 'примерно через час'
const minutesEn = (minutes: number) =>
  minutes <= 1 ? 'in a minute' : minutes < 60 ? `in ${minutes} minutes` : 'in about an hour'

/** The texts by language. */
export const texts: Record<Language, Texts> = {
  ru: {
    welcome:
      'Здравствуйте! 🎄\n\nЯ сделаю короткое новогоднее видео, в котором имя ребёнка появится на морозном стекле и прозвучит вслух.\n\nПросто напишите мне имя — например, Маша.',
    help: 'Напишите имя ребёнка одним сообщением — я пришлю видео, в котором оно написано и произнесено.\n\nОдно имя за раз: Маша, Анна-Мария, Иван Петрович. Уменьшительные имена — отдельные: «Маша» и «Мария» звучат по-разному.\n\nЕсли такого видео ещё нет, я сделаю его примерно за минуту и сразу пришлю.',
    caption: (name) => `🎄 ${name}, с Новым годом!`,
    making: (name) =>
      `✨ Делаю видео для имени «${name}». Обычно это занимает около минуты — пришлю сюда, как только будет готово.`,
    stillMaking: (name) => `Видео для имени «${name}» ещё делается — пришлю его сюда, как только будет готово.`,
    onItsWay: 'Видео уже отправляется.',
    failed: (name, minutes) =>
      `К сожалению, видео для имени «${name}» сейчас не получилось. Пожалуйста, попробуйте ещё раз ${minutesRu(minutes)} — мы уже разбираемся.`,
    tooManyWaiting: 'Вы уже ждёте несколько видео — давайте дождёмся их, а потом продолжим.',
    tooManyToday: 'На сегодня новых имён достаточно — пожалуйста, продолжим завтра. Уже готовые видео я пришлю сразу.',
    notText: 'Я понимаю только текст. Напишите, пожалуйста, имя ребёнка — например, Маша.',
    noTemplate: 'К сожалению, для имени на таком алфавите у меня пока нет видео.',
    trouble: 'Что-то у меня сейчас не получается. Пожалуйста, напишите имя ещё раз через пару минут.',
  },
  en: {
    welcome:
      'Hello! 🎄\n\nI make a short New Year video in which a child’s name appears on a frosted window and is spoken aloud.\n\nJust send me the name, for example Masha.',
    help: 'Send a child’s name as one message and I will answer with a video in which it is written and spoken.\n\nOne name at a time: Emma, Anna-Maria, Mary Ann. Short forms are names of their own: “Bob” and “Robert” sound different.\n\nIf that video does not exist yet, I make it in about a minute and send it at once.',
    caption: (name) => `🎄 ${name}, happy New Year!`,
    making: (name) =>
      `✨ I am making the video for “${name}”. It usually takes about a minute, and I will send it here as soon as it is ready.`,
    stillMaking: (name) => `The video for “${name}” is still being made. I will send it here as soon as it is ready.`,
    onItsWay: 'The video is on its way.',
    failed: (name, minutes) =>
      `I am sorry, the video for “${name}” did not work out just now. Please try again ${minutesEn(minutes)}; we are looking into it.`,
    tooManyWaiting: 'You are waiting for several videos already. Let us wait for those first.',
    tooManyToday:
      'That was enough new names for today. Let us go on tomorrow; videos that exist already I send at once.',
    notText: 'I understand text only. Please send me a child’s name, for example Emma.',
    noTemplate: 'I am sorry, I have no video for a name in this alphabet yet.',
    trouble: 'Something does not work on my side just now. Please send the name again in a few minutes.',
  },
}
