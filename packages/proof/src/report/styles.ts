/** Calm, readable, the same in print. */
export const reportStyles = `
:root { --ground: #f6f4ef; --paper: #fffdf8; --ink: #1b2a33; --soft: #55656d; --line: #ddd8cc; --good: #1f7a5c; --bad: #b3372b; --warn: #85590a; --human: #2f62a8 }
@media (prefers-color-scheme: dark) { :root { --ground: #10191f; --paper: #17232b; --ink: #e9eef0; --soft: #9fb0b8; --line: #2b3b45; --good: #58c79b; --bad: #f0897c; --warn: #e0b25a; --human: #8ab4f0 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 ui-sans-serif, system-ui, sans-serif; padding: clamp(16px, 4vw, 56px) }
header, main, footer { max-width: 820px; margin-inline: auto }
.eyebrow { margin: 0; color: var(--soft); letter-spacing: .04em }
h1 { font-size: clamp(28px, 6vw, 44px); line-height: 1.1; margin: 8px 0 12px; letter-spacing: -.02em; text-wrap: balance }
.facts { color: var(--soft); max-width: 60ch }
.bar { display: flex; gap: 3px; margin: 24px 0 8px }
.bar a { flex: 1; min-width: 2px; height: 28px; border-radius: 3px; background: var(--colour) }
.bar a:hover, .bar a:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px }
.legend { color: var(--soft); margin: 0 0 32px }
[data-verdict='proven'] { --colour: var(--good) } [data-verdict='refuted'] { --colour: var(--bad) }
[data-verdict='could not test'], [data-verdict='stale'] { --colour: var(--warn) } [data-verdict='human'] { --colour: var(--human) }
h2 { font-size: 20px; margin: 40px 0 12px }
article { background: var(--paper); border: 1px solid var(--line); border-left: 5px solid var(--colour); border-radius: 10px; padding: 16px 20px; margin-bottom: 14px; scroll-margin-top: 12px }
.head { display: flex; gap: 12px; font-size: 14px; color: var(--soft); align-items: baseline; font-variant-numeric: tabular-nums }
.verdict { color: var(--colour); font-weight: 650 } .time { margin-left: auto }
h3 { font-size: 18px; line-height: 1.35; margin: 4px 0 10px; text-wrap: pretty }
.why { color: var(--colour) }
table { border-collapse: collapse; width: 100%; font-size: 15px; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
td { white-space: nowrap; width: 1% } td:last-child { padding-right: 0 }
thead th { white-space: nowrap; color: var(--soft); font-weight: 500; font-size: 13px } tbody th { font-weight: 500 }
tr[data-holds='false'] td:nth-child(2) { color: var(--bad); font-weight: 650 }
.small { font-size: 14px; color: var(--soft); margin: 10px 0 0 }
.sabotages { list-style: none; padding: 0; margin: 10px 0 0; font-size: 14px } .sabotages li { padding: 3px 0 }
.sabotages strong { color: var(--good) } .sabotages [data-caught='false'] strong { color: var(--bad) } .sabotages span { color: var(--soft) }
.plot { width: 100%; height: auto; margin-top: 14px; font: 10px ui-sans-serif, system-ui, sans-serif }
.plot text { fill: var(--soft) } .plot .label { fill: var(--bad) } .plot .grid { stroke: var(--line) } .plot .mark { stroke: var(--bad); stroke-dasharray: 3 3 }
.plot .good { fill: var(--good); opacity: .55 } .plot .bad { fill: var(--bad) }
code { font-size: .92em; background: color-mix(in srgb, var(--line) 45%, transparent); padding: 1px 5px; border-radius: 4px }
details { margin-top: 10px; font-size: 14px } summary { cursor: pointer; color: var(--soft) }
pre { overflow-x: auto; font-size: 13px; white-space: pre-wrap; overflow-wrap: anywhere }
footer { color: var(--soft); font-size: 14px; margin-top: 40px }
@media print { body { padding: 0; background: white } article { break-inside: avoid } }
`
