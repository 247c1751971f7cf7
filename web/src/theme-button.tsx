import { Button } from '@seaworthy/ui'
import { Moon, Sun, SunMoon } from 'lucide-react'
import { useState } from 'react'

const themes = ['auto', 'light', 'dark'] as const
type Theme = (typeof themes)[number]
const icons = { auto: SunMoon, light: Sun, dark: Moon }

/** As the system has it, light, or dark; kept on this device. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(
    () => (document.documentElement.dataset.theme as Theme | undefined) ?? 'auto',
  )
  const Icon = icons[theme] ?? SunMoon
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto'
  const choose = (): void => {
    document.documentElement.dataset.theme = next
    try {
      localStorage.setItem('theme', next)
    } catch {
      // Storage is off: the choice lasts as long as the page.
    }
    setTheme(next)
  }
  return (
    <Button
      kind="quiet"
      square
      aria-label={`Colours: ${theme}. Change to ${next}`}
      icon={<Icon size={20} />}
      onClick={choose}
    />
  )
}
