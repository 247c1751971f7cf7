import type { Target } from '../target.ts'
import { renderNginx } from './server.ts'
import { composeVariant, developmentVariant, hostVariant } from './variants.ts'

/** In front of the service: on one host, beside containers, and beside containers for development. */
export const nginx: Target = {
  name: 'nginx',
  about: 'nginx in front of one host or of containers: TLS, uploads as they come, limits of the service',
  render: (description) =>
    [hostVariant(description), composeVariant(description), developmentVariant(description)].map((variant) => ({
      path: variant.path,
      text: renderNginx(description, variant),
    })),
}
