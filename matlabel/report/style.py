"""The page's style sheet."""

CSS = """
:root { --ink: #1f2328; --muted: #667080; --line: #dfe3e8; --soft: #f6f7f9; --accent: #0b5cad; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 40px 32px 72px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 48px 0 12px; padding-bottom: 6px; border-bottom: 1px solid var(--line);
  font-weight: 620; }
h3 { font-size: 15px; margin: 24px 0 8px; font-weight: 620; }
p { margin: 8px 0; max-width: 82ch; }
small, .muted, .note { color: var(--muted); }
.note { font-size: 13.5px; }
.note p, .note li { max-width: 105ch; margin: 4px 0; }
.note ul { margin: 4px 0; padding-left: 20px; }
a { color: var(--accent); }
nav { margin-top: 12px; font-size: 13.5px; }
nav a { margin-right: 16px; text-decoration: none; }
.headline { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 1px; margin: 24px 0 8px;
  background: var(--line); border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
.headline div { background: #fff; padding: 14px 16px; }
.headline b { display: block; font-size: 25px; line-height: 1.25; font-weight: 600;
  font-variant-numeric: tabular-nums; }
.headline span { color: var(--muted); font-size: 13px; }
.scroll { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; min-width: 50%; }
th, td { padding: 5px 8px; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { color: var(--muted); font-weight: 500; vertical-align: bottom; line-height: 1.3; max-width: 92px; }
thead tr:last-child th { border-bottom: 1px solid #b8bec6; }
th.group { max-width: none; text-align: center; color: var(--ink); font-weight: 600;
  border-bottom: 1px solid var(--line); border-left: 10px solid #fff; }
tbody th { text-align: left; font-weight: 600; }
.text, td.seed { text-align: left; }
td.seed { color: var(--muted); white-space: nowrap; }
tr.one td { color: var(--muted); padding-top: 2px; padding-bottom: 2px; }
td.best { font-weight: 700; }
td small { font-weight: 400; white-space: nowrap; }
small.below { display: block; font-size: 11.5px; }
.mark { display: block; max-width: 130px; margin-top: 3px; padding: 1px 6px; border-radius: 3px; background: #fff3d6;
  color: #7a4b00; font-size: 11.5px; line-height: 1.3; font-weight: 500; }
.warnings li { max-width: 105ch; margin: 6px 0; padding: 6px 10px; background: #fdecea; border-radius: 4px;
  list-style: none; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 20px 28px; }
.wide { max-width: 640px; margin-bottom: 24px; }
figure { margin: 0; }
figcaption { font-size: 13.5px; color: var(--muted); }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit !important; }
details { border-bottom: 1px solid var(--line); }
details > summary { cursor: pointer; padding: 7px 0; }
details > summary:hover { color: var(--accent); }
details pre { margin: 0 0 12px; padding: 10px 14px; background: var(--soft); border-radius: 4px; font-size: 12.5px;
  overflow-x: auto; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
code { font-size: 0.92em; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; margin: 8px 0 16px; }
.chip { white-space: nowrap; }
.chip i { display: inline-block; width: 11px; height: 11px; margin-right: 5px; border-radius: 2px; vertical-align: -1px;
  box-shadow: inset 0 0 0 1px rgba(0, 0, 0, 0.18); }
.gallery { display: grid; gap: 3px 6px; margin: 8px 0 20px; align-items: start; }
.gallery .head { font-size: 12.5px; color: var(--muted); }
.gallery .caption { grid-column: 1 / -1; margin-top: 10px; font-size: 13px; display: flex; flex-wrap: wrap;
  gap: 2px 14px; }
.gallery .caption b { font-weight: 600; }
.gallery .why { color: var(--accent); font-weight: 600; }
.gallery img { display: block; width: 100%; height: auto; border-radius: 2px; }
.gallery .none { color: var(--muted); }
footer { margin-top: 56px; color: var(--muted); font-size: 13px; }
"""
