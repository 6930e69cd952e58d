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
.clock { margin-left: auto; color: var(--dim); font-size: .85rem; font-variant-numeric: tabular-nums; }
.offline { max-width: 1192px; margin: 8px auto 0; padding: 10px 18px; border-radius: 12px; background: var(--gold-soft); color: var(--gold); }
body.away main { opacity: .5; }

main { display: grid; grid-template-columns: repeat(12, minmax(0, 1fr)); gap: 18px; max-width: 1240px; margin: 0 auto; padding: 12px 24px 48px; }
section { grid-column: span 12; background: var(--card); border: 1px solid var(--line); border-radius: 18px; padding: 18px 20px 20px; min-width: 0; }
h2 { font-size: .95rem; font-weight: 600; color: var(--dim); margin-bottom: 12px; }
.state, .figures { background: none; border: 0; padding: 0 4px; }
.state h2, .figures h2 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.asked, .waits, .coverage, .making { grid-column: span 6; }
.failed { grid-column: span 7; }
.queue { grid-column: span 5; }
@media (max-width: 860px) {
  main { padding: 8px 14px 40px; gap: 14px; }
  .top { padding: 18px 18px 6px; }
  .clock { margin-left: 0; flex-basis: 100%; }
  .asked, .waits, .coverage, .making, .failed, .queue { grid-column: span 12; }
  section { padding: 16px; }
}

.verdict { display: flex; align-items: center; gap: 12px; font-size: 1.3rem; font-weight: 600; }
.lamp { width: 12px; height: 12px; border-radius: 50%; background: var(--good); box-shadow: 0 0 0 5px color-mix(in srgb, var(--good) 22%, transparent); flex: none; margin-left: 5px; }
.bad .lamp { background: var(--berry); box-shadow: 0 0 0 5px color-mix(in srgb, var(--berry) 22%, transparent); }
.findings { margin: 8px 0 0 29px; display: grid; gap: 4px; overflow-wrap: anywhere; }
.findings li::before { content: "·"; color: var(--berry); font-weight: 700; margin-right: 8px; }

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
.templates li { display: grid; grid-template-columns: 1fr auto; gap: 2px 12px; }
.templates span { color: var(--dim); font-size: .9rem; text-align: right; }
.bar { grid-column: span 2; width: 100%; height: 10px; border-radius: 5px; background: var(--line); }
.bar .pending { fill: var(--dim); opacity: .45; }
.bar .failed { fill: var(--berry); }

.rows { display: grid; gap: 8px; }
.rows li { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 10px; overflow-wrap: anywhere; min-width: 0; }
.glow { width: 8px; height: 8px; border-radius: 50%; background: var(--gold); align-self: center; animation: breathe 2.4s ease-in-out infinite alternate; }
@keyframes breathe { from { opacity: .3; } to { opacity: 1; } }
@media (prefers-reduced-motion: reduce) { .glow { animation: none; } }
.none { color: var(--dim); }
.jobs { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-bottom: 12px; color: var(--dim); }
.jobs b { color: var(--text); font-variant-numeric: tabular-nums; }
.queue .more { margin-top: 14px; }

.posters { display: grid; grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: 14px; }
@media (max-width: 480px) { .posters { gap: 12px; } .posters li:nth-child(n + 13) { display: none; } .chart .tick { font-size: 15px; } }
.posters li { display: grid; min-width: 0; }
.posters img, .posters .blank { width: 100%; height: auto; aspect-ratio: 9 / 16; object-fit: cover; border-radius: 12px; background: linear-gradient(165deg, #1b2963, #0e1739); margin-bottom: 6px; }
.posters .blank { display: grid; place-items: center; }
.posters .blank svg { width: 34%; fill: #f3c76b; opacity: .55; }
.posters b { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 600; }

.faults { display: grid; gap: 16px; margin-bottom: 16px; }
.faults li { overflow-wrap: anywhere; border-left: 3px solid var(--berry); padding-left: 14px; }
.faults li > b { margin-right: 10px; }
.faults p { margin: 2px 0 6px; }
.faults code { display: inline-block; }
`
