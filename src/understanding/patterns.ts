/**
 * How people complain and ask. The alternatives of a pattern stand one after another, `_` is a blank. They are tried on
 * texts in lower case, е for ё, with one blank between words and at both ends.
 */
import type { Topic } from './topic.ts'

type Pattern = readonly [topic: Topic, alternatives: string]

const badly = 'не_так|неправильно|не_правильно|неверно|плохо|криво|странно|коряво|ужасно|смешно'
const sounds = '(?:произн|звуч|озвуч|выговар|говорит|сказал|сказан|слыш|чита|назыв)'
const oddly = '(?:wrong|weird|funny|strange|incorrect|badly|off|odd|like)'
const video = 'видео|видос|ролик|клип|поздравлен'
const arrives =
  '(?:приш|прих|присл|присыл|отправ|получи|получа|дош|доход|дожд|откры|загру|груз|скач|воспр|игра|показ|' +
  'слышно|видно|виден|работа|раб_|запус|отвеча|реагир|делает)'
const comes = 'com(?:e|es|ing)_|came|arriv|work|sen[dt]|load|receiv|play|open|show|got_|respond|answer|happen'
const being = 'бот|робот|человек|живой|живая|настоящ|реальн|нейросет|программа'
const sending = 'присл|отправ|ввод|напис'
const using =
  'пользов|работа|сделать|заказ|получить|создать|начать|поздрав|запис|это|тут|запуст|скач|сохран|подел|пересл|перешл|сюда'

/** About a video that was asked for. */
export const complaints: readonly Pattern[] = [
  [
    'forget_me',
    String.raw`_(?:удали(?:те)?|сотри(?:те)?|забудь(?:те)?)_(?:все_)?(?:обо_)?(?:мои|мою|меня|мне|данные|переписку)
      _(?:delete|erase|remove)_(?:all_)?(?:of_)?(?:my|me)_ _(?:delete|erase|remove)_everything_(?:about_me)?
      _forget_(?:about_)?me_`,
  ],
  [
    'wrong_stress',
    String.raw`_ударени _звучит_как_
      _(?:не|${badly})_(?:\S+_)?${sounds}
      _${sounds}\S*_(?:\S+_){0,2}(?:${badly}|не_то_|с_ошибкой|по_другому|иначе)`,
  ],
  [
    'wrong_stress',
    String.raw`_(?:mis|wrong_|wrongly_|incorrect_)?pronoun?c _pronunciation _mispron
      _(?:stress|accent|emphasis)(?:ed)?_
      _(?:says?|said|saying|sounds?|sounded|spoken?|speaks?|reads?)_(?:\S+_){0,3}${oddly}
      (?:doesn't|doesnt|does_not|don't|didn't)_(?:sound|say) _not_how_(?:you|it|we|i|she|he|that)_`,
  ],
  [
    'wrong_name',
    String.raw`_не_то_имя _вместо_ ^_(?:а_)?почему_\S+_(?:а_не|я_|мы_)\S* _имя_не_то_
      _не_тот_(?:ребенок|мальчик|человек) _не_та_(?:девочка|маша) _неправильн\S*_им
      _(?:приш\S+|присла\S+)_(?:не_то_|друг|чуж) _чужое_(?:видео|имя)
      _(?:сказа|назва|произн|написа)\S+_\S+_а_(?:не|надо|нужно|должно|хотел)\S*_
      _им\S+_(?:\S+_){0,2}(?:неправильн|не_правильн|неверн|с_ошибкой|не_верн) _ошиб\S+_в_имени _перепутал _не_мое_имя
      _не_наше_имя _не_так_(?:написа|зовут) _(?:неверн|неправильн|не_правильн)\S*_(?:им|написа)
      _написа\S+_(?:\S+_)?(?:неправильн|неверн|не_так|не_то_|с_ошибкой|не_правильн) _опечатк _чужое_имя
      ^_(?:неправильно|не_правильно|неверно)_$ _(?:написа|назва|сказа)\S*_(?:\S+_)?(?:друг|чуж)\S+_имя
      _не_для_(?:моего|моей|нас|меня)_ _ошиблись_именем _друг\S+_имя_(?:написа|назва|сказа|там|в_видео|на_видео)`,
  ],
  [
    'wrong_name',
    String.raw`_(?:wrong|incorrect|another|different)_(?:\S+'s_)?(?:name|kid|child|person)_(?:than|in|on|came|is|was|$)
      _name_wrong_ _instead_of_ _wrong_name _wrong_(?:spelling|kid|child|person)_
      _name_(?:is|was|'s)_(?:all_)?(?:wrong|incorrect|mis) _name's_(?:wrong|incorrect) _misspel _miss?pel _(?:you|it|he|they)_(?:said|wrote|called)_(?:\S+_){1,2}(?:not|instead)_
      spel\S+_(?:\S+_){0,2}(?:wrong|incorrect|wrongly|incorrectly) _wrong(?:ly)?_spel
      _not_(?:my|his|her|the_right|the|our)_(?:\S+_)?name_ _typo_ ^_(?:it's|its|it_is|this_is|that's|thats)_(?:all_)?wrong_$`,
  ],
  [
    'thanks',
    String.raw`^(?!.*_(?:еще|можно|теперь|сделай\S*|а|хочу|нужн\S+)_).*_(?:спасибо|благодарю|благодарим)_(?:\S+_){0,3}за_
      ^(?!.*_(?:another|more|can|now|also|please|want)_).*_(?:thanks|thank_you)_(?:\S+_){0,3}for_(?:the_|my_|a_)?(?:video|\S+'s|making|greeting)
      _(?:сказал[аи]?|говорит|говорят|передает|передают|шлет|шлют|пишет)_(?:вам_|тебе_|большое_|огромное_){0,2}(?:спасибо|благодар)
      _(?:says?|said|sends?|sent)_(?:you_|a_|big_|huge_|many_|her_|his_|their_|lots_of_){0,3}(?:thanks|thank_you|thx)_`,
  ],
  [
    'praise',
    String.raw`^(?!.*_(?:еще|можно|теперь|сделай\S*|а|хочу|нужн\S+)_).*_в_(?:полном_)?(?:восторге|восхищении|шоке)_
      _(?:об|за)радовал(?:ся|ась|ись|и)?_`,
  ],
  [
    'does_not_come',
    String.raw`_где_(?:же_|там_|все_)?(?:мо\S+_|наш\S+_|это_|то_|обещанн\S+_)?(?:${video}|ответ|оно|он_)
      _(?:не|ничего_не)_${arrives}
      _не_могу_(?:открыть|скачать|посмотреть|получить|найти) _завис _глюч _сломал _висит _баг_
      _жду_(?:уже|час|минут|полчаса|\d+|с_утра) _нет_(?:видео|ответа|ролика) _видео_(?:все_еще_|еще_|так_и_)?нет
      _нету_видео _звука_нет _нет_звука _без_звука _так_и_не_ _до_сих_пор_ _ничего_нет_ _ничего_не_происходит
      _почему_(?:так_)?(?:долго|нет|не_|молч) _где_(?:мое|наше|моя|же)_ ^_где_$ _куда_(?:делось|пропало) _ошибка_$
      _(?:пишет|выдает)_ошибк ^_(?:(?:пришли|отправь|скинь|повтори|вышли)(?:те)?_)?(?:его_|видео_)?(?:еще_)?раз(?:ок)?_(?:пожалуйста_)?$
      ^_(?:повтори|перешли|переотправь)(?:те)?_(?:видео_|еще_раз_)?(?:пожалуйста_)?$`,
  ],
  [
    'does_not_come',
    String.raw`_(?:is|are|was|has|have|does|do|did|it's|can|will)_?(?:not|n't)_(?:\S+_)?(?:${comes}|ready)
      _(?:(?:is|has|have|does|do|did|wo|ca|ai)n'?t|not|never|nothing)_(?:\S+_)?(?:been_)?(?:${comes}|get_)
      _where(?:'s|_is|s)?_(?:\S+_)?(?:my|the|our|it|video|is)_ _still_(?:waiting|no_|nothing) _broken_ _stuck_
      _an_error_ _error_$ _no_video _no_sound _no_voice_ _not_yet_(?:here|there)
      _why_(?:is_it_|so_|does_it_take_)(?:so_)?(?:slow|long)
      ^_(?:please_)?(?:resend|(?:send_|one_more_time|once_more|again)_?(?:it_|the_video_)?(?:again_)?)_?(?:please_)?$
      _waiting_(?:for_)?(?:an|hours|minutes|\d+|so_long|ages|forever)`,
  ],
]

/** Questions of somebody who has not sent a name yet. */
export const questions: readonly Pattern[] = [
  [
    'how_much',
    String.raw`_(?:сколько|что)_(?:\S+_)?(?:стоит|стоят|плат) _стоимост _цен[аыуе]_ _ценник _почем_ _бесплатн _платн _сколько_денег _денег_сколько _деньги_за
      _оплат _плат(?:ить|а|ите) _деньг _рубл _донат _подписк за_деньги _даром_`,
  ],
  [
    'how_much',
    String.raw`_how_much_(?!longer|time) _price _costs?_ _for_free_ _free_ _paid_ _pay_ _charge _subscription _fee_`,
  ],
  [
    'how_long',
    String.raw`_сколько_(?:\S+_){0,2}(?:ждать|жду|времени|минут|осталось|еще|часов|готов|делает|занимает|длится|секунд)
      _как_(?:долго|скоро|быстро) _долго_(?:ждать|еще|ли|делает|это|готов) ^_долго_$
      _когда_(?:\S+_){0,2}(?:буд|прид|приш|готов|ждать|получ|скин|отправ|сдела) ^_(?:и_|а_|ну_)?когда_$ _скоро_$
      _скоро_(?:ли|будет|уже|там|прид|готов) ^_(?:уже_|еще_не_|ну_|все_)?готово?_$ ^_готово_ли_ _очеред
      ^_(?:ну_)?(?:что|как)_там_ ^_сколько_$ _через_сколько _ждать_сколько`,
  ],
  [
    'how_long',
    String.raw`_how_(?:long|soon|fast|quickly|many_(?:minutes|hours)) _how_much_(?:longer|time)
      _when_(?:will|is|does|do|can|are|should) ^_when_$
      _(?:is|are)_(?:it|you|we|the_video|my_video)_(?:ready|done|finished) _ready_(?:yet_)?$ _eta_
      _almost_(?:done|ready) _take_long _much_longer _how's_it_coming`,
  ],
  [
    'who_are_you',
    String.raw`_(?:ты|вы)_(?:же_|что_|точно_|случайно_)?(?:${being}|кто|дед|ии_)
      _кто_(?:ты|вы|тебя|вас|здесь|тут|со_мной|создал|сделал|это|там|такой|такие|такая|пишет|говорит) ^_кто_$
      _(?:тебя|вас)_как_(?:зовут|звать) _как_(?:тебя|вас)_(?:зовут|звать|величать) _тво[ее]_имя_ _это_(?:бот|робот|нейросет|человек|живой)
      _(?:бот|робот)_ли_ ^_бот_$ ^_робот_$ _нейросет _искусственн _о_себе_ _про_себя_ _чат_бот _у_тебя_имя _ваше_имя_`,
  ],
  [
    'who_are_you',
    String.raw`_who_(?:are|r|is|made|created|built|runs|am_i) ^_who_$ _who's_(?:this|there)
      _(?:are|r)_(?:you|u)_(?:\S+_){0,3}(?:bot|robot|human|real|person|ai|alive|santa|there) _what_are_you_
      _what(?:'s|_is|s)_(?:your|ur)_name _what(?:'s|_is|s)_this_bot
      _is_(?:this|it)_(?:a_|an_)?(?:bot|robot|ai|real|human|person) _chatgpt _your_name_$ _about_yourself`,
  ],
  [
    'help',
    String.raw`_(?:с|без)_фамили _на_\S+ском_ _по_русски_ _по-русски_ _список_ _в_списке_
      _редкое_имя _имя_редкое _подскажите_$ _помощь _помоги _инструкц
      _что_(?:ты_|вы_|мне_|тут_|здесь_)?(?:умее|може|делат|делае|дальше|писат|надо|нужно|это|тут|за_|теперь|${sending})
      _как_(?:\S+_)?(?:${using}|${sending})
      _не_(?:понимаю|поняла|понял|понятно|разбер|ясно) _непонятно _меню_ _зачем_ _для_чего_
      _куда_(?:писать|отправ|ввод|нажим) _что_делать _что_к_чему _в_чем_суть ^_(?:а_)?(?:что|чего|как|чо|че|шо)_$
      _с_чего_начать`,
  ],
  [
    'help',
    String.raw`_help_ _how_(?:do|does|to|can|should|it|this)_
      _what_(?:can|do|should|is_this|does|now|is_it|next|to|'s_this|now) ^_what_$ ^_how_$ _what's_this
      _instructions _i_(?:don't|dont|do_not|didn't|can't)_(?:\S+_)?(?:understand|get_it|know) _confused_
      _not_sure_(?:what|how) _explain`,
  ],
]
