import { apps } from '../apps.ts'

/** `cosnap:read` as `Read Cosnap`. */
export function scopeWords(scope: string): string {
  const [name = '', what] = scope.split(':')
  const of = apps.find((app) => app.name === name)?.title ?? name
  return `${what === 'read' ? 'Read' : 'Change'} ${of}`
}
