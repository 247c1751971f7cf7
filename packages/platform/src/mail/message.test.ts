import { describe, expect, it } from 'vitest'
import { renderMail } from './message.ts'

describe('the two parts of a mail', () => {
  const hostile = `<img src=x onerror=alert(1)> & "quotes" 'single'`

  it('say the same, with the address of the action written out in both', () => {
    const { text, html } = renderMail({
      paragraphs: ['Good day.', 'Please confirm.'],
      action: { label: 'Confirm', url: 'https://app.example.com/verify#token=abc' },
    })
    expect(text).toBe('Good day.\n\nPlease confirm.\n\nConfirm:\nhttps://app.example.com/verify#token=abc\n')
    for (const words of ['Good day.', 'Please confirm.', '>Confirm<', 'https://app.example.com/verify#token=abc'])
      expect(html).toContain(words)
  })

  it('take what a person wrote as text, never as markup', () => {
    const { text, html } = renderMail({ paragraphs: [hostile], action: { label: hostile, url: `https://x/"><b>` } })
    expect(text).toContain(hostile)
    expect(html).not.toMatch(/<img|<b>|" onerror|'single'/)
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt; &amp; &quot;quotes&quot; &#39;single&#39;')
  })

  it('fetch nothing from anywhere', () => {
    const { html } = renderMail({ paragraphs: ['One.'], action: { label: 'Go', url: 'https://x.example/y' } })
    expect(html).not.toMatch(/<(img|script|link|iframe)|src=|url\(|@import/)
  })
})
