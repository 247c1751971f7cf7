// Stands in the head of a page that was made ahead; scripts/prerender.js fills in the words in capitals. The page's code comes
// when it has been painted, with its pictures where it is COMPLETE, or when somebody does something, or after two seconds.
// What was pressed before is done then. Whoever was signed in needs a new token first, so that is asked for meanwhile.
{
  let asked = false
  let alive = false
  let early = () => {}
  let note
  const say = () => {
    if (note) return
    note = Object.assign(document.createElement('p'), { className: 'offline' })
    note.setAttribute('role', 'alert')
    const { pathname: href, search } = location
    const again = Object.assign(document.createElement('a'), { href: href + search, textContent: 'Load it again' })
    note.append("This page's code could not be loaded.", again)
    document.body.prepend(note)
  }
  const ask = () => {
    if (asked) return
    asked = true
    for (const href of PRELOADS)
      document.head.append(
        Object.assign(document.createElement('link'), { rel: 'modulepreload', crossOrigin: '', href }),
      )
    // The connection broke, or the release is: the next press asks again, and somebody who waits is told.
    import(ENTRY).catch(() => {
      asked = false
      say()
    })
  }
  const painted = (ms) => requestAnimationFrame(() => setTimeout(ask, ms))
  // A picture that has come is on the screen some frames later: the page's code would come in between.
  if (COMPLETE) addEventListener('load', () => painted(100))
  else painted()
  setTimeout(ask, 2000)
  for (const act of ['pointerdown', 'keydown', 'focusin']) addEventListener(act, ask, { passive: true })
  if (document.documentElement.dataset.session === 'in') {
    const refresh = () => fetch('/api/identity/refresh', { method: 'POST' })
    // As the client does it: two tabs at once would end each other's sign-in.
    globalThis.refreshed = navigator.locks ? navigator.locks.request('seaworthy-refresh', refresh) : refresh()
    globalThis.refreshed.catch(() => {})
  }
  // The page's code has taken it when it has kept the browser from sending it. Until then it is asked again, also in the
  // moment in which the page comes to life and hears only a part of what happens.
  let tries = 0
  addEventListener('submit', (event) => {
    if (event.defaultPrevented || tries > 200) return
    event.preventDefault()
    const again = () => event.target.requestSubmit()
    if (!alive) early = again
    else {
      tries++
      setTimeout(again, 50)
    }
  })
  addEventListener('click', ({ target }) => {
    const button = target.closest('button[type=button]:not([popovertarget])')
    if (!alive && button) early = () => button.click()
  })
  addEventListener('alive', () => {
    alive = true
    note?.remove()
    // In this moment the page hears only a part of what happens: what was pressed would be lost.
    requestAnimationFrame(() => setTimeout(early, 100))
  })
}
