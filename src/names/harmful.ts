/**
 * Insults, threats, commands to harm and names that exist only as an attack, which the word lists of `bad-words-next`
 * do not have: those are about swearing. Lower case, е for ё. Real names stay out: Адольф is one, Гитлер is not.
 */

/** Nouns and adjectives, refused with any ending a Russian word takes. */
const stems = `жоп|жопк|жопищ|задниц|твар|скотин|ублюд|ублюдок|ублюдк|подон|подонок|подонк|дебил|дебилк|
  дебилоид|дурак|дур|дурочк|дурачок|придур|придурок|придурк|кретин|тупиц|тупорыл|туп|уродец|урод|уродин|
  уродк|гадин|гаденыш|сволоч|гнид|падл|падаль|чмо|чмошник|чмырь|чмыр|лох|лошар|лошок|шлюх|шлюшк|
  проститутк|шалав|потаскух|потаскушк|шмар|педик|пидор|пидар|пидр|пидорас|пидрил|гомик|говн|говнюк|
  говнищ|дерьм|дерьмец|засранец|засранк|засранц|обосран|срань|сран|сраны|какашк|какашечк|какаха|козлин|
  козел|козл|чурк|нигер|негритос|жидовк|жидяр|черножоп|фашист|фашистк|нацист|нацистк|террорист|
  террористк|убийц|маньяк|педофил|насильник|наркоман|наркоманк|алкаш|алкоголик|бомж|отморозок|отморозк|
  мерзавец|мерзавк|негодя|мудак|мудил|мудозвон|мудач|мраз|мразот|ничтожеств|неудачник|неудачниц|идиот|
  идиотк|имбецил|даун|дауних|олигофрен|шизик|психопат|паскуд|стерв|сучк|сучонок|сученыш|сукин|мегер|
  жиртрест|жирдяй|жирух|жиробас|свинья|свинь|свиней|порно|порнух|минет|сперм|оргазм|мастурбац|онанист|
  проституци|хуесос|хуй|пенис|вагин|гитлер|геббельс|гиммлер|чикатил|сатан|дьявол|антихрист|людоед|
  каннибал|смерт|суицид|самоубийств|самоубийц|убийств|изнасилован|трахал|выблядок|выблядк|бляд|шваль|быдл|
  тупень|дрянь|дрян|мерзост|погань|поган|вонючк|вонюч|дрищ|уебищ|уебан|пиздюк|говноед|говняшк|вонючек|жирн|глуп|глупеньк|письк|писюн|сисечк|какун|какаш`

const endings = `а я о е и ы у ю ь й ой ей ом ем ью ам ям ах ях ами ями ок ек ий ый ая ое ее ые ие ого ему ому его ую
  юю ым им ых их ыми ими`

/** Refused just so: what is meant for somebody, in the forms in which it is said to them. */
const words = `убей убейте убью убьем убьет убить убей-себя убейся убейтесь убейсь убивать убивай зарежь зарежьте
  зарежу зарезать сдохни сдохните сдохнешь сдохнет сдох сдохла сдохли сдохнуть сдыхай анус дохни дохлый дохлая подохни
  подохните подохнешь подохнуть умри умрите умрешь умирай умереть помри повесься повесьтесь повеситься вешайся
  застрелись застрели застрелите застрелю застрелить вскройся вздернись сгори сгорите задушу задуши задушить утопись
  утопи утоплю взорвись взорвите взорву взорвать расстрелять расстреляй расстреляйте изнасилую изнасиловать изнасилуй
  ненавижу ненавидим ненавидит заткнись заткнитесь заткни отвали отвалите проваливай проваливайте отсоси отсосите соси
  сосите лижи полижи трахни трахну трахнуть трахать секс секса сексом сексуальный голая голый голые нахер нахрен похер
  похуй нафиг пошелнахуй обоссы обоссанный срать срешь насрать насрал посрать ссать ссышь обосрался обосралась пердеть
  пердун перди воняешь вонять бля блять блядь ебать ауе сгнои сгний гори-в-аду аллахакбар зигхайль хайль рейх
  ку-клукс-клан die dies kill kills killed killing killer kys murder murderer murdered suicide rape raped raper rapist
  shutup stfu gtfo idiot idiots idiotic moron morons moronic imbecile stupid dumb dumbass dumbo dummy loser losers
  retard retards retarded ugly uglies fatso fatty scum scumbag jerk jerks bastard bastards bitch bitches slut whore
  whores thot skank crap crappy shitty poop poopy pooface poophead turd fart farts farty butthead butthole asshole ass
  arse dickhead dickface prick twat wanker tosser cock cocks penis vagina pussy boobs boob tits dildo porn porno sex
  sexy sexting nude nudes naked horny orgasm hitler himmler goebbels nazi nazis heil satan devil antichrist terrorist
  terrorists alqaeda al-qaeda pedo paedo pedophile paedophile pedophiles molester psycho psychopath freak creep maniac
  cannibal nigger nigga faggot fag tranny chink spic gook paki coon sucks sucker suck ублюдище гандон гондон мудила
  пздц пиздец хер херня херов херовый хрен хреновый сука суки суке суку сукой сучара тупая тупой тупые тупое обезьяна обезьяну обезьяны осел осла ослица крыса крысу крысы коза козу змея змею гадюка
  чушка черт черта чертила балбес балбесы олух слабак нытик трус трусиха гад гады лысый бестолочь дубина тварина тварюга дибил
  дибилка stink stinks stinky fat creepy пися писи писю писей попа попу попы попе попой корова корову коровы корове коровой овца овцу
  овцы овце овцой москаль москали москалей москаля хохол хохлы fuk fck
  fuc fcuk sht btch dumbfuck motherfucker`

/** Several words that are a threat only together. */
const phrases = `пошел вон|пошла вон|пошли вон|пошел ты|пошла ты|пошли вы|иди ты|идите вы|иди лесом|
  выпей яду|выпей яда|прыгни с|иди в баню|убирайся вон|конец тебе|тебе конец|тебе крышка|в могилу|в гробу|
  бен ладен|бин ладен|усама бен|осама бен|джек потрошитель|белая сила|kill yourself|hang yourself|shut up|
  go to hell|to hell|get lost|white power|drop dead|end yourself|hurt yourself|cut yourself|bin laden|
  osama bin|jack the ripper|sieg heil|screw you|jump off|ku klux|you suck|hate you|hate him|hate her|закрой рот|закрой пасть|закройте рот|рот закрой|deez nuts|hugh jass|joe mama|the pig|a pig|a cow|fat cow|fat pig|
  толстая корова|толстая свинья`

const split = (list: string, by: string | RegExp) =>
  list
    .split(by)
    .map((word) => word.trim())
    .filter((word) => word !== '')

const exact = new Set(split(words, /\s+/))
const together = new Set(split(phrases, '|'))
let inflected: Set<string> | undefined

/** Whether a word is in the list, in whatever form. @param word lower case, е for ё */
export function isHarmful(word: string): boolean {
  if (exact.has(word)) return true
  inflected ??= new Set(
    split(stems, '|').flatMap((stem) => ['', ...split(endings, /\s+/)].map((ending) => stem + ending)),
  )
  return inflected.has(word)
}

/** Whether two words are in it together. */
export const areHarmful = (first: string, second: string): boolean => together.has(`${first} ${second}`)
