/** The page's looks: night blue and window gold; by day, snow. */
export const style = `
:root {
  --night: #0b1230; --night-2: #131d47; --panel: rgba(16, 24, 58, .82); --line: rgba(255, 255, 255, .08);
  --text: #eef1fb; --dim: #9aa5cc; --gold: #f3c76b; --gold-2: #e0a94a; --berry: #d8546f;
  --theirs: #1d2a5c; --mine: linear-gradient(150deg, #3d63c4, #2c4a9f); --mine-text: #fff; --field: #0f183d;
  --wall: radial-gradient(120% 70% at 50% 110%, rgba(243, 199, 107, .13), transparent 60%), linear-gradient(#0e1739, #16214f);
  --shadow: 0 30px 80px rgba(2, 5, 20, .6);
  font: 16px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
@media (prefers-color-scheme: light) {
  :root {
    --night: #dfe8f7; --night-2: #f3f6fc; --panel: rgba(255, 255, 255, .86); --line: rgba(30, 45, 95, .11);
    --text: #1b2444; --dim: #66719a; --gold: #b8801c; --gold-2: #d49a35; --theirs: #fff; --mine: linear-gradient(150deg, #ffedc4, #fbdf9f); --mine-text: #3b2c08; --field: #fff;
    --wall: radial-gradient(120% 70% at 50% 110%, rgba(243, 190, 90, .28), transparent 60%), linear-gradient(#d6e2f6, #e9f0fb);
    --shadow: 0 24px 60px rgba(50, 70, 130, .22);
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html, body { height: 100%; margin: 0; }
body { color: var(--text); background: linear-gradient(170deg, var(--night), var(--night-2)); overflow: hidden; }
h1, h2, p, ul, ol, menu { margin: 0; padding: 0; font-weight: inherit; font-size: inherit; list-style: none; }
button, input, select, textarea { font: inherit; color: inherit; }
button { cursor: pointer; border: 0; background: none; }
:focus-visible { outline: 2px solid var(--gold); outline-offset: 2px; }

.sky { position: fixed; inset: 0; pointer-events: none; }
.sky i { position: absolute; inset: 0; background-repeat: repeat; opacity: .8; }
.sky i:first-child { background-image: radial-gradient(1px 1px at 40px 60px, #fff, transparent), radial-gradient(1.5px 1.5px at 180px 120px, #ffe9b8, transparent), radial-gradient(1px 1px at 260px 220px, #cfdcff, transparent), radial-gradient(1px 1px at 90px 280px, #fff, transparent); background-size: 320px 320px; }
.sky i:last-child { background-image: radial-gradient(2px 2px at 120px 90px, rgba(255, 255, 255, .8), transparent), radial-gradient(1px 1px at 330px 260px, #ffe9b8, transparent); background-size: 470px 410px; animation: twinkle 5s ease-in-out infinite alternate; }
@keyframes twinkle { from { opacity: .25; } to { opacity: .9; } }
@media (prefers-color-scheme: light) { .sky { opacity: .0; } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }

.desk { position: relative; height: 100%; display: grid; grid-template-columns: 290px minmax(0, 440px); gap: 28px; justify-content: center; padding: 28px; }
.people { min-height: 0; overflow: auto; padding: 6px 4px; scrollbar-width: thin; }
.brand { display: flex; gap: 12px; align-items: center; padding: 4px 10px 18px; }
.brand strong { display: block; font-size: 20px; letter-spacing: .01em; }
.brand small { color: var(--dim); }
.star { width: 40px; height: 40px; border-radius: 13px; background: #14204a url("/favicon.ico") center / cover; box-shadow: 0 0 24px rgba(243, 199, 107, .35); }
.people h2 { padding: 14px 12px 6px; font-size: 12px; text-transform: uppercase; letter-spacing: .09em; color: var(--dim); }
.row { width: 100%; display: flex; align-items: center; gap: 12px; padding: 8px 10px; border-radius: 16px; text-align: left; position: relative; }
.row:hover { background: rgba(130, 150, 230, .12); }
.row[aria-current="true"] { background: rgba(130, 150, 230, .2); }
.row .who { min-width: 0; flex: 1; }
.row b { display: block; font-weight: 600; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.row small { color: var(--dim); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; display: block; }
.row .badge { min-width: 22px; padding: 1px 7px; border-radius: 11px; font-size: 12px; font-weight: 700; text-align: center; background: var(--gold); color: #2b1e02; }
.face { flex: none; width: 44px; height: 44px; border-radius: 50%; display: grid; place-items: center; font-weight: 700; color: #fff; background: linear-gradient(160deg, #6c8cf0, #3a55b4); font-size: 17px; }
.face.c1 { background: linear-gradient(160deg, #e98aa0, #b8496a); } .face.c2 { background: linear-gradient(160deg, #6fc7b2, #2f8a78); }
.face.c3 { background: linear-gradient(160deg, #e9b66a, #b97a2a); } .face.c4 { background: linear-gradient(160deg, #a58af0, #6a4cc0); }
.face.bot { background: #14204a url("/favicon.ico") center / cover; }
.face.channel { border-radius: 15px; background: linear-gradient(160deg, #4c5f9e, #26356f); }
.face.plus { background: none; border: 1.5px dashed var(--dim); color: var(--dim); font-weight: 400; font-size: 22px; }

.phone { min-height: 0; height: 100%; max-height: 940px; align-self: center; display: flex; flex-direction: column; position: relative; border-radius: 34px; overflow: hidden; background: var(--wall); border: 1px solid var(--line); box-shadow: var(--shadow), 0 0 0 8px rgba(255, 255, 255, .025); }
.bar { display: flex; align-items: center; gap: 12px; padding: 12px 16px; background: var(--panel); backdrop-filter: blur(14px); border-bottom: 1px solid var(--line); z-index: 2; }
.bar h1 { font-weight: 650; font-size: 17px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.title { min-width: 0; flex: 1; }
.title p { color: var(--dim); font-size: 13.5px; min-height: 19px; }
.title p.busy { color: var(--gold); }
.title p.busy::after { content: ""; display: inline-block; width: 1.2em; text-align: left; animation: dots 1.2s steps(1) infinite; }
@keyframes dots { 0% { content: ""; } 25% { content: "."; } 50% { content: ".."; } 75% { content: "..."; } }
.as { font-size: 12.5px; color: var(--dim); text-align: right; max-width: 40%; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.as b { color: var(--text); font-weight: 600; }

.chat { flex: 1; min-height: 0; overflow-y: auto; padding: 14px 12px 10px; display: flex; flex-direction: column; scrollbar-width: thin; outline: none; }
.chat ol { margin-top: auto; display: flex; flex-direction: column; gap: 3px; }
.day { align-self: center; margin: 10px 0 6px; padding: 3px 11px; border-radius: 12px; font-size: 12.5px; background: rgba(90, 110, 190, .22); color: var(--text); }
.note { align-self: center; margin: 8px 24px; padding: 7px 14px; border-radius: 14px; font-size: 13px; text-align: center; background: rgba(243, 199, 107, .16); color: var(--text); }
.bubble { max-width: 82%; align-self: flex-start; position: relative; border-radius: 18px 18px 18px 6px; background: var(--theirs); box-shadow: 0 1px 2px rgba(0, 0, 0, .16); overflow: hidden; animation: rise .22s ease-out; }
.bubble.mine { align-self: flex-end; border-radius: 18px 18px 6px 18px; background: var(--mine); color: var(--mine-text); }
@keyframes rise { from { opacity: 0; transform: translateY(8px); } }
.words { padding: 7px 12px 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
.words::after { content: ""; display: inline-block; width: 52px; height: 1px; }
.edited .words::after { width: 100px; }
.time { position: absolute; right: 11px; bottom: 5px; font-size: 11.5px; opacity: .62; }
.bubble .quote { margin: 8px 10px 0; padding: 3px 9px; border-left: 3px solid var(--gold); border-radius: 5px; font-size: 13.5px; opacity: .85; background: rgba(130, 150, 230, .12); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.bubble.film { padding: 4px; }
.screen { position: relative; }
.film video { display: block; width: min(236px, 62vw); max-height: 420px; border-radius: 15px 15px 15px 4px; background: #070c22; object-fit: cover; }
.screen .play, .tile .play { position: absolute; inset: 0; margin: auto; width: 58px; height: 58px; border-radius: 50%; background: rgba(6, 10, 30, .5); backdrop-filter: blur(4px); transition: transform .15s, background .15s; }
.screen:hover .play, .tile:hover .play { transform: scale(1.07); background: rgba(6, 10, 30, .65); }
.screen .play::after, .tile .play::after { content: ""; position: absolute; left: 38%; top: 50%; transform: translateY(-50%); border: solid transparent; border-width: 11px 0 11px 18px; border-left-color: #f7d587; }
.screen .long, .tile .long { position: absolute; right: 8px; bottom: 8px; font-size: 12px; padding: 1px 7px; border-radius: 9px; color: #fff; background: rgba(6, 10, 30, .6); }
.screen .long { right: auto; left: 8px; bottom: auto; top: 8px; }
.screen.playing .play, .screen.playing .long { display: none; }
.film.bare .screen.playing ~ .time { display: none; }
.film.bare .time { right: 13px; bottom: 12px; padding: 1px 7px; border-radius: 10px; color: #fff; opacity: 1; background: rgba(5, 8, 25, .55); pointer-events: none; }
.film .words { max-width: min(236px, 62vw); padding: 7px 8px 6px; }
.file { display: flex; gap: 12px; align-items: center; padding: 10px 14px 20px 12px; color: inherit; text-decoration: none; }
.file span { flex: none; width: 42px; height: 42px; border-radius: 50%; display: grid; place-items: center; background: var(--gold-2); color: #2b1e02; font-size: 19px; }
.file small { color: inherit; opacity: .65; display: block; }
.words a { color: var(--gold); }
.words code, .words pre { font-family: ui-monospace, monospace; font-size: .92em; }
.buttons { align-self: flex-start; width: min(244px, 64vw); display: grid; gap: 4px; margin-top: 2px; }
.buttons div { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: 4px; }
.buttons button, .buttons a, .keyboard button { padding: 9px 10px; border-radius: 12px; background: rgba(110, 135, 220, .22); text-align: center; font-size: 14.5px; color: inherit; text-decoration: none; transition: background .15s; overflow-wrap: anywhere; }
.buttons button:hover, .keyboard button:hover { background: rgba(243, 199, 107, .3); }
.empty { margin: auto; text-align: center; color: var(--dim); display: grid; justify-items: center; gap: 14px; padding: 24px; max-width: 320px; }
.empty .face { width: 92px; height: 92px; border-radius: 30px; box-shadow: 0 0 60px rgba(243, 199, 107, .35); }
.primary, dialog menu button:last-child { padding: 11px 28px; border-radius: 22px; background: linear-gradient(160deg, #f7d587, #e3ab49); color: #2b1e02; font-weight: 650; box-shadow: 0 6px 22px rgba(224, 169, 74, .35); }

.composer { position: relative; display: flex; align-items: flex-end; gap: 8px; padding: 9px 10px calc(9px + env(safe-area-inset-bottom)); background: var(--panel); backdrop-filter: blur(14px); border-top: 1px solid var(--line); }
.composer textarea { flex: 1; resize: none; max-height: 128px; padding: 9px 15px; border: 1px solid var(--line); border-radius: 21px; background: var(--field); outline-offset: 0; line-height: 1.35; scrollbar-width: thin; }
.composer textarea::placeholder { color: var(--dim); }
.composer textarea:focus { outline: none; border-color: var(--gold-2); }
.round { flex: none; width: 42px; height: 42px; border-radius: 50%; display: grid; place-items: center; background: linear-gradient(160deg, #f7d587, #e3ab49); color: #2b1e02; font-size: 19px; transition: transform .12s; }
.round:active { transform: scale(.93); }
.round svg { width: 21px; height: 21px; fill: currentColor; }
.ghost { background: rgba(130, 150, 230, .16); color: var(--text); }
.commands { position: absolute; left: 10px; right: 10px; bottom: calc(100% + 6px); max-height: 260px; overflow: auto; border-radius: 18px; background: var(--field); border: 1px solid var(--line); box-shadow: var(--shadow); padding: 6px; }
.commands button { width: 100%; text-align: left; padding: 9px 12px; border-radius: 12px; display: flex; gap: 12px; }
.commands button:hover { background: rgba(130, 150, 230, .16); }
.commands b { color: var(--gold); font-weight: 600; }
.commands span { color: var(--dim); }
.keyboard { display: grid; gap: 5px; padding: 8px 10px; background: var(--panel); }
.keyboard div { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: 5px; }
.offline { position: absolute; inset: auto 0 70px; margin: 0 auto; width: max-content; max-width: 90%; padding: 7px 16px; border-radius: 16px; font-size: 13.5px; background: var(--berry); color: #fff; z-index: 3; }

.grid { flex: 1; min-height: 0; overflow-y: auto; padding: 3px; display: grid; grid-template-columns: repeat(3, 1fr); grid-auto-rows: max-content; gap: 3px; scrollbar-width: thin; }
.tile { position: relative; aspect-ratio: 9 / 14; border-radius: 9px; overflow: hidden; background: linear-gradient(160deg, #24336f, #131c45); padding: 0; color: #fff; }
.tile img, .tile video { width: 100%; height: 100%; object-fit: cover; display: block; transition: transform .3s; }
.tile:hover img { transform: scale(1.04); }
.tile .play { width: 44px; height: 44px; }
.tile .play::after { border-width: 8px 0 8px 13px; }
.tile .n { position: absolute; left: 7px; top: 6px; font-size: 12px; opacity: .8; text-shadow: 0 1px 3px #000; }
.tile p { padding: 30px 10px 10px; font-size: 13px; text-align: left; overflow-wrap: anywhere; }
.grid .empty { grid-column: 1 / -1; padding-top: 90px; }

dialog { border: 1px solid var(--line); border-radius: 26px; color: var(--text); background: var(--night-2); box-shadow: var(--shadow); padding: 22px; width: min(360px, calc(100vw - 32px)); }
dialog::backdrop { background: rgba(4, 7, 22, .66); backdrop-filter: blur(4px); }
dialog h2 { font-size: 19px; font-weight: 650; margin-bottom: 14px; }
dialog label { display: grid; gap: 5px; margin-bottom: 12px; color: var(--dim); font-size: 13.5px; }
dialog input, dialog select { padding: 10px 13px; border-radius: 13px; border: 1px solid var(--line); background: var(--field); font-size: 16px; color: var(--text); }
dialog menu { display: flex; justify-content: flex-end; gap: 8px; margin-top: 16px; }
dialog menu .ghost { padding: 11px 20px; border-radius: 22px; }
#cinema { padding: 0; border: 0; background: none; box-shadow: none; width: auto; max-width: 96vw; max-height: 96vh; overflow: visible; text-align: center; }
#cinema video { display: block; max-width: 92vw; max-height: 82vh; border-radius: 22px; background: #070c22; box-shadow: var(--shadow); }
#cinema .round { position: absolute; right: 10px; top: 10px; z-index: 1; color: #fff; background: rgba(6, 10, 30, .6); }
#cinema p { margin-top: 10px; color: #d9def2; font-size: 13.5px; }

@media (max-width: 820px) {
  .desk { grid-template: auto minmax(0, 1fr) / 100%; gap: 0; padding: 0; }
  .people { display: flex; align-items: flex-start; overflow-x: auto; overflow-y: hidden; padding: 10px 8px 6px; scrollbar-width: none; background: var(--panel); }
  .people .brand, .people h2 { display: none; }
  .people ul { display: flex; }
  .row { flex-direction: column; gap: 4px; width: 74px; padding: 4px; text-align: center; border-radius: 14px; }
  .row:hover, .row[aria-current="true"] { background: none; }
  .row[aria-current="true"] .face { box-shadow: 0 0 0 2px var(--night-2), 0 0 0 4px var(--gold); }
  .row .who { width: 100%; }
  .row b { font-size: 12px; font-weight: 500; }
  .row small { display: none; }
  .row .badge { position: absolute; right: 8px; top: 0; }
  .phone { border: 0; border-radius: 0; max-height: none; box-shadow: none; }
}
`
