import { type CheckName, checks, type Examined, examine } from '@seaworthy/ops'
import { type InstallationFlags, withInstallation } from './installation.ts'
import { mark } from './marks.ts'

export type DoctorFlags = InstallationFlags & { readonly json?: boolean }

/** `seaworthy doctor`: exit code 1 when something is bad or could not be looked at for it. */
export async function runDoctor(names: readonly string[], flags: DoctorFlags): Promise<void> {
  const wanted = names.map(toCheck)
  const found = await withInstallation(flags, (here) => examine(here, wanted.length ? wanted : undefined))
  const bad = found.filter(({ verdict }) => verdict === 'bad')
  process.stdout.write(
    flags.json ? `${JSON.stringify({ ok: bad.length === 0, checks: found }, null, 2)}\n` : tableOf(found),
  )
  process.exitCode = bad.length ? 1 : 0
}

function toCheck(name: string): CheckName {
  if (Object.hasOwn(checks, name)) return name as CheckName
  throw new Error(`There is no check ${name}.\n    HINT: one of ${Object.keys(checks).join(', ')}`)
}

function tableOf(found: readonly Examined[]): string {
  const width = Math.max(...found.map(({ title }) => title.length))
  const rows = found.map(({ verdict, title, found: what, next }) =>
    [`${mark(verdict)}  ${title.padEnd(width)}  ${what}`, ...(next ? [`${' '.repeat(14 + width)}> ${next}`] : [])].join(
      '\n',
    ),
  )
  const count = (verdict: Examined['verdict']): number => found.filter((one) => one.verdict === verdict).length
  return `${rows.join('\n')}\n\n${count('bad')} bad, ${count('warn')} to look after, ${count('unknown')} could not be looked at, ${count('ok')} ok\n`
}
