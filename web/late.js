// Stands in the head of a page that was made ahead (scripts/prerender.js fills in ENTRY and PRELOADS): the page's code comes
// when it has been painted, or somebody does something, or two seconds have passed. What was pressed before is done then.
{
  let asked = false
  let alive = false
  let early = () => {}
  const ask = () => {
    if (asked) return
    asked = true
    for (const href of PRELOADS)
      document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', crossOrigin: '', href }))
    import(ENTRY)
  }
  addEventListener('load', () => requestAnimationFrame(() => setTimeout(ask)))
  setTimeout(ask, 2000)
  for (const act of ['pointerdown', 'keydown', 'focusin']) addEventListener(act, ask, { once: true, passive: true })
  addEventListener('submit', (event) => {
    if (alive) return
    event.preventDefault()
    early = () => event.target.requestSubmit()
  })
  addEventListener('click', ({ target }) => {
    const button = target.closest('button[type=button]:not([popovertarget])')
    if (!alive && button) early = () => button.click()
  })
  addEventListener('alive', () => {
    alive = true
    early()
  })
}
