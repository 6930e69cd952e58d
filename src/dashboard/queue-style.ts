/** The looks of the dashboard for the jobs, one by one: bull-board's own variables, set anew. It begins dark or light as its own switch says. */
export const queueStyle = `
:root {
  --font-sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; --font-mono: ui-monospace, "SF Mono", Menlo, Consolas, "Noto Sans Mono", monospace; --radius: .75rem;
  --background: #f4efe3; --foreground: #1b2450; --card: #fffdf8; --popover: #fffdf8; --primary: #8f6208; --primary-foreground: #fffdf8; --secondary: #ece5d5; --secondary-foreground: #1b2450;
  --muted: #efe9da; --muted-foreground: #59648c; --accent: #f6ecd6; --accent-foreground: #5d4106; --border: #ddd8cc; --input: #cfcabd; --sidebar: #eee8d9; --sidebar-foreground: #333d6b; --sidebar-accent: #e5dcc7; --sidebar-border: #ddd5c2;
  --status-active: #5873bd; --status-waiting: #b57a12; --status-failed: #b02a48; --status-completed: #1f7a4a;
}
.dark-mode {
  --background: #0b1230; --foreground: #eef1fb; --card: #141f4b; --popover: #1a2659; --primary: #f3c76b; --primary-foreground: #0b1230; --secondary: #1d2a60; --secondary-foreground: #dfe5f8;
  --muted: #1a2557; --muted-foreground: #a5b0d6; --accent: #202d66; --accent-foreground: #f3c76b; --border: #28356f; --input: #34427e; --sidebar: #0e173b; --sidebar-foreground: #c3cceb; --sidebar-accent: #1a2659; --sidebar-border: #1f2b5f;
  --status-active: #7f9be8; --status-waiting: #f3c76b; --status-failed: #f08aa0; --status-completed: #8fd6ac;
}
.to-dashboard { position: fixed; z-index: 1000; left: 16px; bottom: 44px; padding: 7px 16px; border-radius: 99px; font: 600 14px/1.4 var(--font-sans); text-decoration: none; color: var(--primary-foreground); background: var(--primary); }
.to-dashboard:focus-visible { outline: 2px solid var(--primary); outline-offset: 3px; }
@media (max-width: 768px) { .to-dashboard { bottom: 16px; } }
/* Thin and pale as it comes. */
small, [class*="timeline-"], header [class*="escription-"] { font-weight: 400 !important; opacity: 1 !important; }
/* States that our jobs are never in. */
:is(a, button)[href*="status=waiting-children"], a[href*="status=prioritized"], a[href*="status=paused"], a[href*="status=completed"] { display: none !important; }
`
