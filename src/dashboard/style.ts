/** The page's looks: night blue and warm gold; by day, paper and ink. */
export const style = `
:root {
  color-scheme: dark light;
  --back: #0b1230; --back-2: #131d47; --card: #141f4b; --line: rgba(255, 255, 255, .09); --text: #eef1fb; --dim: #a5b0d6;
  --gold: #f3c76b; --gold-soft: rgba(243, 199, 107, .16); --blue: #5f7fd6; --berry: #f08aa0; --good: #8fd6ac; --code: #0c1538;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
@media (prefers-color-scheme: light) {
  :root {
    color-scheme: light dark;
    --back: #f4efe3; --back-2: #eef1f8; --card: #fffdf8; --line: rgba(30, 45, 95, .13); --text: #1b2450; --dim: #59648c;
    --gold: #8f6208; --gold-soft: rgba(200, 145, 40, .16); --blue: #5873bd; --berry: #b02a48; --good: #1f7a4a; --code: #f1ecdf;
  }
  .chart .hit, .bar .available, .key.hit::before { --mark: #d19a2e; }
}
* { box-sizing: border-box; }
html { background: var(--back-2); }
[hidden] { display: none !important; }
body { margin: 0; min-height: 100vh; color: var(--text); background: linear-gradient(165deg, var(--back), var(--back-2)) fixed; }
h1, h2, p, ul, dl, dd { margin: 0; padding: 0; list-style: none; }
a { color: var(--gold); text-underline-offset: 3px; }
:focus-visible { outline: 2px solid var(--gold); outline-offset: 3px; border-radius: 4px; }
code { font: .86em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Noto Sans Mono", monospace; background: var(--code); border-radius: 6px; padding: .15em .45em; overflow-wrap: anywhere; }
small { color: var(--dim); font-size: .85rem; }

.top { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; max-width: 1240px; margin: 0 auto; padding: 26px 24px 10px; }
.star { width: 30px; height: 30px; fill: var(--gold); }
h1 { font-size: 1.35rem; font-weight: 650; letter-spacing: .01em; }
.world { color: var(--dim); border: 1px solid var(--line); border-radius: 99px; padding: 1px 12px; font-size: .85rem; }
.world.sandbox { color: var(--gold); background: var(--gold-soft); border-color: transparent; }
.search { display: flex; gap: 8px; margin-left: auto; min-width: 0; }
.search input { flex: 1 1 auto; min-width: 0; width: min(15rem, 100%); font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 99px; padding: 6px 16px; }
.search input::placeholder { color: var(--dim); }
.search button { font: inherit; font-weight: 600; color: var(--gold); background: var(--gold-soft); border: 0; border-radius: 99px; padding: 6px 16px; cursor: pointer; }
.clock { color: var(--dim); font-size: .85rem; font-variant-numeric: tabular-nums; }
.offline { max-width: 1192px; margin: 8px auto 0; padding: 10px 18px; border-radius: 12px; background: var(--gold-soft); color: var(--gold); }
body.away main { opacity: .5; }

main { display: grid; grid-template-columns: repeat(12, minmax(0, 1fr)); gap: 18px; max-width: 1240px; margin: 0 auto; padding: 12px 24px 48px; }
section { grid-column: span 12; background: var(--card); border: 1px solid var(--line); border-radius: 18px; padding: 18px 20px 20px; min-width: 0; }
h2 { font-size: .95rem; font-weight: 600; color: var(--dim); margin-bottom: 12px; }
.state, .figures { background: none; border: 0; padding: 0; border-radius: 0; }
.state h2, .figures h2 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.asked, .waits, .making, .queue { grid-column: span 6; }
.coverage, .missed { grid-column: span 6; }
.refused, .processes { grid-column: span 6; }
@media (max-width: 860px) {
  main { padding: 8px 14px 40px; gap: 14px; }
  .top { padding: 18px 14px 6px; }
  .clock { order: 4; }
  .asked, .waits, .making, .queue, .coverage, .missed, .refused, .processes { grid-column: span 12; }
  .search { flex: 1 1 100%; order: 3; }
  section { padding: 16px; }
}

.verdict { display: flex; align-items: center; gap: 12px; font-size: 1.3rem; font-weight: 600; }
.lamp { width: 12px; height: 12px; border-radius: 50%; background: var(--good); box-shadow: 0 0 0 5px color-mix(in srgb, var(--good) 22%, transparent); flex: none; margin-left: 5px; }
.bad .lamp { background: var(--berry); box-shadow: 0 0 0 5px color-mix(in srgb, var(--berry) 22%, transparent); }
.findings { margin: 8px 0 0 29px; display: grid; gap: 4px; overflow-wrap: anywhere; }
.findings li { position: relative; padding-left: 14px; }
.findings li::before { content: "·"; position: absolute; left: 0; color: var(--berry); font-weight: 700; }

.figures dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 18px; }
.figures dl > div { background: var(--card); border: 1px solid var(--line); border-radius: 18px; padding: 16px 20px; }
.figures dd:first-child { font-size: 2.1rem; line-height: 1.15; font-weight: 650; color: var(--gold); font-variant-numeric: tabular-nums; white-space: nowrap; }
.figures dt { font-weight: 600; }
.figures .more { color: var(--dim); font-size: .85rem; }
@media (max-width: 480px) { .figures dl { grid-template-columns: 1fr 1fr; gap: 12px; } .figures dl > div { padding: 14px; } .figures dd:first-child { font-size: 1.6rem; } }

.chart { display: block; width: 100%; height: auto; overflow: visible; }
.chart .tick { fill: var(--dim); font-size: 12px; font-variant-numeric: tabular-nums; }
.chart .mid { text-anchor: middle; }
.chart .end { text-anchor: end; }
.chart .grid { stroke: var(--line); }
.chart .hit, .bar .available { fill: var(--mark, var(--gold)); }
.chart .miss, .bar .generating { fill: var(--blue); }
.chart .reach { stroke: var(--blue); stroke-width: 5; stroke-linecap: round; opacity: .65; }
.chart .half { fill: var(--gold); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--dim); font-size: .85rem; margin-top: 10px; }
.key::before { content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; background: var(--mark, var(--gold)); }
.key.miss::before, .key.reach::before { background: var(--blue); }
.key.half::before { border-radius: 50%; }

.templates { display: grid; gap: 16px; }
.templates > li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 3px 12px; align-items: baseline; }
.templates b { font-variant-numeric: tabular-nums; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.templates strong { font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.templates span { grid-column: span 2; color: var(--dim); font-size: .85rem; }
.bar { grid-column: span 2; width: 100%; height: 10px; border-radius: 5px; background: var(--line); }
.bar .pending { fill: var(--dim); opacity: .45; }
.bar .failed, .bar .full { fill: var(--berry); }
h3 { margin: 14px 0 10px; font-size: .85rem; font-weight: 600; color: var(--dim); }
.alarm, .templates .alarm { color: var(--berry); }
.lead { margin-bottom: 6px; }

.counts { display: grid; gap: 7px; }
.counts li { display: grid; grid-template-columns: minmax(0, 1fr) auto minmax(2.5em, auto); gap: 0 12px; align-items: baseline; }
.counts b { font-weight: 500; overflow-wrap: anywhere; }
.counts strong { grid-column: 3; text-align: right; font-variant-numeric: tabular-nums; font-weight: 600; }
.none + .results { margin-top: 12px; }
.none + .counts { margin-top: 8px; }
.counts + .none { margin-top: 14px; }

.results { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); gap: 20px; }
.results > li { display: grid; grid-template-columns: 118px minmax(0, 1fr); gap: 16px; }
.results img, .results .blank { display: block; height: auto; width: 100%; aspect-ratio: 9 / 16; object-fit: cover; border-radius: 12px; background: linear-gradient(165deg, #1b2963, #0e1739); }
.results b { display: block; font-size: 1.1rem; overflow-wrap: anywhere; }
.results ul { margin: 6px 0 10px; font-size: .9rem; display: grid; gap: 2px; overflow-wrap: anywhere; }
.similar { margin-top: 14px; color: var(--dim); }
.similar a { display: inline-block; margin: 0 10px 0 4px; }
.found .more, .queue .more { margin-top: 14px; }
#cinema { padding: 0; border: 0; border-radius: 18px; overflow: hidden; background: #000; color: #fff; max-width: 94vw; }
#cinema p { padding: 60px 28px 28px; max-width: 24rem; }
#cinema video { display: block; max-width: 94vw; max-height: 88vh; min-width: 200px; }
#cinema::backdrop { background: rgba(5, 9, 28, .8); }
#cinema button { position: absolute; top: 10px; right: 10px; width: 36px; height: 36px; border: 0; border-radius: 50%; font: 1.3rem/1 system-ui; color: #fff; background: rgba(0, 0, 0, .55); cursor: pointer; }

.rows { display: grid; gap: 8px; }
.rows li { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 10px; overflow-wrap: anywhere; min-width: 0; }
.making .rows li { position: relative; padding-left: 18px; }
.glow { position: absolute; left: 0; top: .5em; width: 8px; height: 8px; border-radius: 50%; background: var(--gold); animation: breathe 2.4s ease-in-out infinite alternate; }
@keyframes breathe { from { opacity: .3; } to { opacity: 1; } }
@media (prefers-reduced-motion: reduce) { .glow { animation: none; } }
.none { color: var(--dim); }
.jobs { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-bottom: 12px; color: var(--dim); }
.jobs b { color: var(--text); font-variant-numeric: tabular-nums; }

.posters { display: grid; grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: 14px; }
@media (max-width: 480px) { .queue .templates { font-size: .92rem; } .posters { gap: 12px; } .posters li:nth-child(n + 13), .faults li:nth-child(n + 7) { display: none; } .chart .tick { font-size: 15px; } }
.posters li, .posters a { display: grid; min-width: 0; }
.posters a { color: inherit; text-decoration: none; }
.posters a:hover img, .posters a:hover .blank { filter: brightness(1.15); }
.posters img, .posters .blank { width: 100%; height: auto; aspect-ratio: 9 / 16; object-fit: cover; border-radius: 12px; background: linear-gradient(165deg, #1b2963, #0e1739); margin-bottom: 6px; }
.results .blank, .posters .blank { display: grid; place-items: center; }
.play { position: relative; }
.posters img, .results img { display: block; }
.play::after { content: ""; position: absolute; right: 8px; top: 8px; width: 24px; height: 24px; border-radius: 50%; background: rgba(5, 9, 28, .6); }
.play::before { content: ""; position: absolute; z-index: 1; right: 15px; top: 14.5px; border: solid transparent; border-width: 5.5px 0 5.5px 9px; border-left-color: #fff; }
.blank svg { width: 34%; fill: #f3c76b; opacity: .55; }
.posters b { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 600; }

.faults { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 16px; margin-bottom: 16px; }
.faults li { overflow-wrap: anywhere; border-left: 3px solid var(--berry); padding-left: 14px; }
.faults li > b { margin-right: 10px; }
.faults p { margin: 2px 0 6px; }
.faults code { display: inline-block; }
`
