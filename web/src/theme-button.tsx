import { Button } from '@seaworthy/ui'
import { Moon, Sun, SunMoon } from 'lucide-react'
import { useEffect, useState } from 'react'

const themes = ['auto', 'light', 'dark'] as const
type Theme = (typeof themes)[number]

/** All of them; the style sheet shows the one that is chosen, also before the page's code has come. */
const icons = (
  <>
    <SunMoon size={20} data-theme-is="auto" />
    <Sun size={20} data-theme-is="light" />
    <Moon size={20} data-theme-is="dark" />
  </>
)

/** As the system has it, light, or dark; kept on this device. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>('auto')
  useEffect(() => setTheme(chosenTheme()), [])
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
    <Button kind="quiet" square aria-label={`Colours: ${theme}. Change to ${next}`} icon={icons} onClick={choose} />
  )
}

/** As the script in the page's head has it. */
const chosenTheme = (): Theme => themes.find((theme) => theme === document.documentElement.dataset.theme) ?? 'auto'
