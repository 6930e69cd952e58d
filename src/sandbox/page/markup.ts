/** The page's skeleton. Everything that people wrote is put in by the script, as text. */

export const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="#14204a"/><path d="M16 5l2.6 7.2 7.4.3-5.8 4.6 2 7.2-6.2-4.1-6.2 4.1 2-7.2L6 12.5l7.4-.3z" fill="#f3c76b"/></svg>'

export const markup = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>Greetings · sandbox</title>
<link rel="icon" href="/favicon.ico" type="image/svg+xml">
<link rel="stylesheet" href="/page.css">
</head>
<body>
<div class="sky" aria-hidden="true"><i></i><i></i></div>
<div class="desk">
  <nav class="people" aria-label="Chats">
    <header class="brand"><span class="star" aria-hidden="true"></span><div><strong>Greetings</strong><small data-text="sandbox"></small></div></header>
    <h2 data-text="people"></h2>
    <ul id="people"></ul>
    <button id="new-person" class="row add" type="button"><span class="face plus" aria-hidden="true">+</span><span class="who"><b data-text="newPerson"></b></span></button>
    <h2 data-text="channels"></h2>
    <ul id="channels"></ul>
  </nav>
  <main class="phone">
    <header class="bar">
      <span class="face" id="face" aria-hidden="true"></span>
      <div class="title"><h1 id="title"></h1><p id="status" aria-live="polite"></p></div>
      <p class="as" id="as"></p>
    </header>
    <section id="chat" class="chat" tabindex="0"><ol id="messages" aria-live="polite"></ol><div id="empty" class="empty" hidden></div></section>
    <section id="grid" class="grid" hidden></section>
    <div id="keyboard" class="keyboard" hidden></div>
    <form id="composer" class="composer">
      <button id="menu" type="button" class="round ghost" data-label="commands">/</button>
      <textarea id="words" rows="1" maxlength="4096" autocomplete="off" data-placeholder="write"></textarea>
      <button id="send" class="round" type="submit" data-label="send"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3.4 20.4 21 12.9c.8-.4.8-1.5 0-1.8L3.4 3.6c-.7-.3-1.4.3-1.3 1L3.6 10.6l9.2 1.4-9.2 1.4-1.5 6c-.1.7.6 1.3 1.3 1z"/></svg></button>
      <ul id="commands" class="commands" hidden></ul>
    </form>
    <p id="offline" class="offline" hidden data-text="offline"></p>
  </main>
</div>
<dialog id="person">
  <form method="dialog">
    <h2 data-text="newPerson"></h2>
    <label><span data-text="theirName"></span><input id="person-name" maxlength="64" required autocomplete="off"></label>
    <label><span data-text="theirLanguage"></span><select id="person-language"><option value="ru">Русский</option><option value="en">English</option><option value="uk">Українська</option><option value="de">Deutsch</option></select></label>
    <menu><button type="button" value="cancel" id="person-cancel" class="ghost" data-text="cancel"></button><button value="ok" data-text="create"></button></menu>
  </form>
</dialog>
<dialog id="cinema"><button type="button" id="cinema-close" class="round ghost" data-label="close">×</button><video id="cinema-video" controls playsinline></video><p id="cinema-note"></p></dialog>
<script src="/page.js" type="module"></script>
</body>
</html>
`
