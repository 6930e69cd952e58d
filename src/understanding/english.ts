/** What English-speaking families write around a name. */
import type { Language } from './language.ts'

export const english: Language = {
  openers: [
    [
      [],
      `for to make makes create do greet greeting congratulate congratulating congratulations congrats celebrate
        celebrating video videos vid vids clip clips card message messages greetings surprise shoutout shout-out
        personalised personalized send record generate produce prepare want wants wanted need needs like order get
        give show say wish wishing please can could would have start try next now also another one about`,
    ],
  ],
  introductions: `name that names named called is are am it's its it i'm im he's she's hes shes this that's thats i
    her his calls call we're meet`,
  kin: {
    m: `son sons
      grandson grandsons
      nephew nephews
      godson godsons
      brother brothers
      boy boys
      stepson
      husband
      dad daddy grandpa grandad granddad uncle
      man guy prince buddy lad`,
    f: `daughter daughters
      granddaughter granddaughters grandaughter
      niece nieces
      goddaughter goddaughters
      sister sisters
      girl girls
      stepdaughter
      wife
      mum mummy mom mommy grandma granny nana auntie aunt
      princess lady lass`,
    any: `child children kid kids kiddo baby babies toddler newborn friend friends twin twins cousin cousins bestie boss coach teacher dog puppy kitten
      grandchild grandchildren grandkid grandkids godchild infant pupil student class family sibling siblings bub bubba
      munchkin sweetheart darling sweetie cutie honey babe love little one`,
  },
  decoration: `please pls plz plzz pleaseee pleas plese kindly the a an my our your their little dear sweet beloved
    lovely small young younger youngest old older oldest eldest middle only precious special favourite favorite
    adorable beautiful darling wonderful birthday bday birthdays christmas xmas new year years yrs yr yo y.o y o
    months month mo weeks week days day eve santa claus father happy merry turning turns turned just january february
    march april july september october november december tonight today tomorrow asap so very too and with age aged
    male female m f two three four five six seven eight nine ten first second third other named you u us me him them
    he she they holiday holidays season's seasons special great big wishes there quick short custom party gift present
    's s of from mr mrs ms miss dr sir`,
  adjectives: ``,
  prose: `back save share download settings language repeat spanish french german scary bored hungry tired crying waiting
    hurry live meant says texas whole crazy teacher bless god enter slower longer shorter faster louder quieter else speak russian english oops cried hour hours minute minutes
    stars anyone instead bro dude idk gtg brb jk asked wanted isn't wasn't wasnt i in on at by but or if as than then
    there here who whom what which when where why how was were be been being will shall should might must did does
    doing done had has having got getting let let's these those any some all every each no not don't dont doesn't
    doesnt didn't didnt isn't isnt aren't arent can't cant won't wont wouldn't couldn't come comes came coming go goes
    going went know knows think thought tell told said says see saw look looks looking work works working worked wrong
    right same different again still already yet always never ever much many more most less few enough up down out
    over under off into because while after before until since really quite pretty actually maybe perhaps bot robot ai
    app program telegram phone number link money price cost word words text letter letters voice sound sounds hear
    heard watch watching seen read write wrote written type typed change fix undo understand think you're youre you've
    we we've they're it'll i'll i've i'd hope hopes hoping loves loved likes liked enjoy enjoys enjoyed made sent
    received hear thing things something nothing anything everything everyone everybody someone somebody people time
    times way ask asked answer long soon bad sad sorry boring weird strange funny awful terrible horrible rubbish
    really`,
  givers: `from`,
  wishing: `wishing hugs xoxo may`,
  talk: {
    greeting: `hi hello hey heya hiya hii hai helo hullo hallo yo sup wassup howdy santa hola heyy hellooo morning
      evening afternoon`,
    thanks: `thanks thank thx ty tysm tyvm tks thnx thanx tnx thks cheers thankyou thankyouu grateful appreciate
      appreciated thankful gracias merci`,
    praise: `wow cool awesome amazing great nice lovely beautiful perfect perfectly fantastic brilliant wonderful
      excellent super superb adorable cute lol lmao rofl haha hahaha fun fab fabulous omg yay yey impressive
      incredible gorgeous magical magic stunning neat sick dope epic bravo hooray hurray hurrah woohoo woah whoa sweet
      loved love best good outstanding`,
    yes: `yes yeah yea yep yup yess yass ok okay okey okie k kk sure fine right correct alright absolutely exactly
      indeed ya definitely certainly confirm confirmed affirmative understood y`,
    no: `no nope nah naw n cancel stop nevermind nvm undo none`,
    bye: `bye goodbye byebye bye-bye byee cya goodnight farewell later laters ciao`,
    help: `help start menu instructions manual info faq sorry hmm test testing`,
    wishes: `likewise`,
  },
  phrases: {
    greeting: `is anyone there|anyone there|are you there|good morning|good afternoon|good evening|good day|
      what's up|whats up|how are you|how are you doing|how r u|how do you do|hi there|hello there|hey there|
      ho ho ho|how's it going|hows it going|santa claus|father christmas|dear santa`,
    thanks: `thank you|thank u|thanks a lot|many thanks|much appreciated|thank you so much`,
    praise: `well done|good job|fantastic job|amazing job|excellent job|you rock|great job|nice one|good bot|love it|loved it|i love it|we love it|
      we loved it|so cool|so cute|she loved it|he loved it|they loved it|my god|i love this|love this|
      i love you|love you|you're the best|you are the best|made my day|you're an angel|you are an angel|
      you're a legend|you legend|what a legend|you are a legend|so good|that's great|that is great`,
    yes: `of course|yes please|that's right|that is right|that's correct|sounds good|go ahead|go on|got it|all good|
      i see|why not|do it|make it|for sure|no problem`,
    no: `never mind|no thanks|no thank you|not that|not this|not really|another name|a different name|different name|
      something else|don't want|no need|not now|wrong one|not this one|other name`,
    bye: `see you|see ya|see you later|see you soon|good night|take care|bye bye|talk later|have a nice day|
      have a good day|have a good one|good bye`,
    help: ``,
    wishes: `happy new year|merry christmas|merry xmas|happy christmas|happy holidays|happy birthday|
      season's greetings|seasons greetings|you too|same to you|and you|and you too|to you too|happy ny|
      happy new years|all the best|best wishes|best of luck|good luck|same here|and to you|
      happy new year to you|happy new year to you too|merry christmas to you|happy new year everyone|
      happy new year to everyone|happy new year to all|to you|to you all|the same to you|happy hanukkah`,
    none: `any chance|with love|lots of love|with lots of love|much love|i hope|we hope|i will|by chance|
      my angel|our angel|little angel|little legend|in june|in august|will you|will it|at the moment|
      a happy new year|a merry christmas|would you like|would you please|can you|could you|i want|i would like|
      i'd like|you are|are you able to|for the`,
  },
  ambiguous: `hope chance grant chase mark summer autumn june august angel legend grace faith joy cash journey harmony
    destiny ace miles dallas london true will bill dawn carol eve drew genesis christian jesus king story`,
}
