### What people read in English: natural, short, with contractions; the bot says “I”.
### Which texts there are, and what each takes, is in src/texts.ts. Names are put in as they are.
### $minutes is at most 60, which stands for an hour or more.

language = English
    .script = Latin

## Pieces of other texts

and = and
minutes = { $minutes ->
    [1] a minute
    [60] an hour
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}
in-hours = { $hours ->
    [one] in { $hours } hour
   *[other] in { $hours } hours
}

## Commands

welcome =
    Hello! 🎄

    I make a short New Year’s video in which a child’s name appears on a frosted window and is spoken aloud.

    Just send me the name — Emma, for example.
help =
    Send me a child’s name, and I’ll send you a video in which it’s drawn and spoken.

    Short forms are names of their own: “Bob” and “Robert” sound different. Double names are fine, too: Anna-Maria, Mary Ann.

    If that video already exists, you’ll get it right away. If it doesn’t, I’ll make it in about a minute.
short-help = I don’t know that command. Just send me a child’s name — Emma, for example. More: /help
greet-usage = Write the name after the command, like this: /greet Emma
language-question = Which language should I speak with you?
language-chosen = All right, I’ll speak English.
privacy =
    I remember your Telegram id (not your phone number), your language and the names you asked for: without them, no video would reach you. If you tell me that a name sounds wrong, I remember that, too. Besides you, only whoever runs this bot can see that.

    I keep all that for { $days ->
        [one] { $days } day
       *[other] { $days } days
    }, then I delete them. The videos stay: there’s only a name in them.

    To make me forget it all right now: /forgetme
forget-question =
    Shall I delete everything I remember about you? That’s your language, your requests, what you told me about the sound of names, and the videos you’re still waiting for.

    It can’t be undone. The videos that are already in this chat stay with you.
button-forget-yes = Yes, delete it
button-forget-no = No, keep it
forget-done = Done, I don’t remember anything about you now. Whenever you’d like a new video, just send a name.
forget-kept = All right, everything stays as it is.

menu-start = Start
menu-help = How it works
menu-greet = Make a video: /greet Emma
menu-language = Change the language
menu-privacy = What I remember about you
menu-forgetme = Delete everything I remember about you

bot-name = New Year’s Greetings by Name
bot-description =
    🎄 A New Year’s video in which your child’s name appears on a frosted window and is spoken aloud.

    Send a name, and a minute later the video is yours. It’s free.
bot-short-description = A New Year’s video with your child’s name, drawn and spoken. Free 🎄

## Talk

talk-greeting = Hello! 🎄 Send me a child’s name, and I’ll send you a New Year’s video with it.
talk-thanks = You’re welcome! 🎄 Anyone else to greet? Just send me the name.
talk-praise = How kind, thank you! ☺️ Anyone else to greet? Just send me the name.
talk-yes = Great! Then send me a child’s name — Emma, for example.
talk-no = All right. Whenever you’d like a video, just send me a name.
talk-bye = Goodbye! 🎄 Whenever you’d like another video, just send me a name.
talk-how-long = If the video already exists, it comes right away. A new one usually takes a minute, or a little longer when many people are asking. I’ll send it here, so there’s no need to watch the screen.
talk-how-much = It’s free 🎁 Send me a name, and the video is yours.
talk-who-are-you = I’m a bot that draws and speaks a child’s name in a New Year’s video. Send me a name and see what it looks like.
talk-wrong-name = Sorry about the wrong name! Please send me just the name, the way it should sound — Emma, for example.
talk-wrong-stress = Thank you for telling me! Tap “{ button-sounds-wrong }” below the video: it helps to get it right.
talk-does-not-come = Sorry for the wait! Send me the name once more: if the video is ready, I’ll send it right away, and if it isn’t, I’ll tell you how it’s going.
talk-wishes = Thank you, and a happy New Year to you, too! 🎄 Anyone else to greet? Just send me the name.
talk-not-understood = I don’t quite understand. Please send me just the name — Emma, for example.

## Questions

question-unsure = Shall I make a video for “{ $name }”?
question-which = Who’s it for?
question-several = { $count ->
    [one] There’s { $count } name here.
   *[other] There are { $count } names here.
} What shall I make?
button-yes-name = Yes, “{ $name }”
button-name = { $name }
button-other-name = Another name
button-each = Separately: { $count ->
    [one] { $count } video
   *[other] { $count } videos
}
button-together = Together: { $names }
button-exact-spelling = Exactly with “е”: { $name }
other-name = All right, send me the other name.
toast-chosen = “{ $name }” it is!
toast-already = You’ve already chosen “{ $name }”.
toast-old = That question is too old now. Just send me the name again.
toast-not-yours = That button is for the person I asked. Send me a name yourself, and you’ll get a video, too.

## While a video is made

making = ✨ I’m making the video for “{ $name }”. It usually takes about a minute, and I’ll send it here as soon as it’s ready.
making-place = ✨ The video for “{ $name }” is { $place ->
    [1] next in line
   *[other] number { $place } in line
}. It’ll be here in { $minutes ->
    [60] an hour or more
   *[other] about { minutes }
}.
making-far = ✨ The video for “{ $name }” is in line, with more than { $count } others before it. I’ll send it here as soon as it’s ready, so there’s no need to wait by the screen.
making-longer = ✨ The video for “{ $name }” is taking longer than usual, sorry for the wait. I’ll send it here as soon as it’s ready.
sending = ✨ The video for “{ $name }” is ready, I’m sending it.
still-making = I’m still making the video for “{ $name }”. I’ll send it here as soon as it’s ready.
on-its-way = The video for “{ $name }” is on its way.
failed = Sorry, the video for “{ $name }” didn’t work out this time. Please send the name again in { minutes }.
limit-waiting = I’m already working on { $count ->
    [one] { $count } name
   *[other] { $count } names
} for you. As soon as the first video arrives, send me the next one.
limit-today = You’ve sent me { $count ->
    [one] { $count } new name
   *[other] { $count } new names
} in a day. I can take the next one { in-hours }; videos that already exist I’ll send right away.
trouble = Something isn’t working on my side just now. Please send the name again in a few minutes.

## What is not taken

not-text = I only understand text. Please send me a child’s name — Emma, for example.
service-message = 🎄 Send me a child’s name, and I’ll send you a New Year’s video.
no-template = Sorry, I can’t make a video in these letters yet. Could you write the name in another alphabet?
rejected-empty = There’s no name here. Please write it in letters, for example “Emma”.
rejected-too_long_input = That’s far too long for a name. Please send just the name, for example “Emma”.
rejected-not_text = The name arrived with damaged characters. Please type it once more.
rejected-several_names = There seems to be more than one name here. Please send them one by one: each gets its own video.
rejected-digits = There are digits in the name. Please write it in letters only.
rejected-emoji = What a nice emoji! But I can only draw and speak letters: please write the name without it.
rejected-characters = There’s a character I can’t speak. Please write the name in letters; a space, a hyphen and an apostrophe are fine.
rejected-misplaced = A hyphen or an apostrophe is out of place. It belongs inside a name, as in “Anna-Maria”: please have a look.
rejected-marks = One of the letters has too many accents. Please write the name in plain letters.
rejected-mixed_scripts = The name mixes letters of different alphabets. Please write all of it in one.
rejected-unsupported_script = I can’t draw and speak this alphabet yet. Please write the name in Latin or Cyrillic letters.
rejected-too_short = One letter is too short for a name. Please write all of it.
rejected-too_long = Such a long name doesn’t fit on the screen: 40 letters at most. Is there a shorter form?
rejected-too_many_words = There are too many words: a name has four at most. Please send just the name.
rejected-nonsense = That doesn’t look like a name. Please send me a child’s name, for example “Emma”.
rejected-offensive = I can’t make a greeting with this word. Please send me a child’s name.
rejected-blocked = I can’t make a greeting with this word. Please send me a child’s name.

## The video

caption = 🎄 Happy New Year, { $name }!
caption-together = 🎄 Happy New Year, { $names }!
button-share = Share
button-another = Another name
button-sounds-wrong = Sounds wrong
sounds-wrong-question = Thank you for telling me! Where’s the stress in “{ $name }”?
button-not-stress = It’s something else
sounds-wrong-thanks = Thank you for telling me! I’ll pass it on, and offer you the new video when there is one.
new-video = You told me that the video for “{ $name }” sounds wrong. There’s a new one now. Shall I send it?
button-new-video = Send the new video
share-text = 🎄 A New Year’s video in which a child’s name is drawn and spoken aloud. Send the bot a name and get yours.

## In other chats

group-welcome = Hello! 🎄 Write the command and a child’s name, like /greet Emma, and I’ll send a New Year’s video here.
group-usage = Write the name after the command, like /greet Emma, or reply to my message with a name.
inline-miss = No video for “{ $name }” yet. Make it?
inline-start = Make a New Year’s video
guest-miss = There’s no video for “{ $name }” yet. Open me, and I’ll make it in about a minute 🎄
guest-usage = Write a child’s name, like “@{ $bot } Emma”, and I’ll send a New Year’s video here 🎄

## For admins

menu-stats = How it’s going
menu-warm = Make videos for a list of names
menu-retry = Try failed videos again
menu-preview = A name’s video and all about it: /preview Emma
admin-step = { $step ->
    [telegram] Telegram
    [token] the bot’s token
    [storage] the storage channel
    [voice] the voice
    [ffmpeg] ffmpeg
    [template] the template
    [disk] the disk
   *[other] { $step }
}
admin-reason = { $reason ->
    [empty] an empty cell
    [too_long_input] far too long
    [not_text] damaged characters
    [several_names] several names at once
    [digits] digits
    [emoji] emoji
    [characters] characters that can’t be spoken
    [misplaced] a misplaced hyphen or apostrophe
    [marks] too many accents on a letter
    [mixed_scripts] letters of different alphabets
    [unsupported_script] an unknown alphabet
    [too_short] a single letter
    [too_long] more than 40 letters
    [too_many_words] too many words
    [nonsense] a row of letters
    [offensive] an offensive word
    [blocked] a blocked name
    [no_text] not a text
    [no_template] no template for these letters
    [too_many_waiting] too many names at once
    [too_many_today] too many names in a day
   *[other] { $reason }
}
admin-time = { $hours ->
    [0] { $minutes } min
   *[other] { $hours } h { $minutes } min
}
stats-day = { $requests ->
    [0] 📊 Nobody has asked for anything in the last 24 hours.
   *[other] 📊 Requests in the last 24 hours: { $requests }, answered at once: { $percent }%.
}
stats-waiting = ⏳ Waiting for a video: { $count }, the longest for { admin-time }.
stats-nobody-waits = ⏳ Nobody is waiting.
stats-videos = 🎬 Videos ready: { $available }, in the queue: { $pending }, failed: { $failed }.
stats-workers = { $workers ->
    [0] 🛑 Nobody is making videos: start greetings worker, or up.
   *[other] 👷 Workers: { $workers }.
}
stats-outage = ⚠️ Not working: { admin-step }, for { admin-time } now.
stats-refused = 🚫 Not taken in the last 24 hours: { $count }
stats-refused-reason = • { admin-reason }: { $count }
retried = { $count ->
    [0] No video has failed, so there’s nothing to try again.
    [one] I’m trying { $count } failed video again.
   *[other] I’m trying { $count } failed videos again.
}
retried-none = The video for “{ $name }” isn’t among the failed ones, so there’s nothing to try again.
preview-usage = Write the name after the command, like this: /preview Emma
preview-available = 🎬 “{ $name }”: the video is ready, made { $date }. Template { $template }.
preview-new = 🎬 “{ $name }”: there’s no video yet, I’m making it. Template { $template }.
preview-under-way = 🎬 “{ $name }”: the video is still in work. Template { $template }.
preview-failed = 🎬 “{ $name }”: the video failed. Template { $template }, reason: { $reason }.

    Try again: /retry { $name }
preview-say = 🗣 Spoken as: { $say }
stats-reported = 🔇 Sound wrong: { $names }
warm-usage = Send me a list of names as a file: CSV or text, a name in each row, up to { $megabytes } MB and { $count } names. I’ll show you what would come of it first, and ask.
warm-too-large = This list is too much for me: I take files of up to { $megabytes } MB and { $count } names. Split it, or use the command greetings warm.
warm-not-fetched = I couldn’t get this file from Telegram. Please send it once more.
warm-unreadable = I can’t read this file as a list of names. It should be text: CSV in UTF-8, a name in each row. In Excel that’s “Save As” → “CSV UTF-8”.
warm-doubtful = This doesn’t look like a list of names: there are hardly any in column { $column }. Please check the file: a name in each row, and “name” as the column’s header.
warm-list = 📋 Names in the list: { $count }
warm-new = • new: { $count }
warm-cached = • video ready: { $count }
warm-queued = • in the queue already: { $count }
warm-failed-before = • failed before: { $count } (again: /retry)
warm-repeated = • repeated: { $count }
warm-refused = 🚫 Rows not taken: { $count }
warm-refused-rows = Rows: { $rows }
warm-time = ⏱ It’ll take about { admin-time }.
warm-time-unknown = ⏱ I don’t know yet how long it’ll take.
warm-nothing = ✅ There’s nothing to do.
button-warm-yes = 🔥 Make { $count }
button-warm-no = No
warm-declined = All right, I won’t make any.
warm-progress = 🔥 { $done } of { $count } ready ({ $percent }%)
warm-left = ⏱ About { admin-time } left.
warm-failed = ❌ Failed: { $count }
warm-failed-name = • { $name }: { $reason }
warm-done = ✅ Done. Names with a video: { $count }. Made now: { $made }, there before: { $cached }.
toast-warm-running = I’m on it 🔥
toast-warm-done = That’s done already.
