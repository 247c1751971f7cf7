import { stringify } from 'yaml'
import type { Description } from '../../description/index.ts'
import { rendered, type Target } from '../target.ts'

/** Where Prometheus finds the metrics: on the port for machines, which nothing outside reaches. */
export const prometheus: Target = {
  name: 'prometheus',
  about: 'what Prometheus reads on one host; pods carry the usual annotations',
  render: (description) => [
    {
      path: 'deploy/prometheus/host.yml',
      text: configuration(description, { static_configs: [{ targets: [`127.0.0.1:${description.ports.admin}`] }] }),
    },
  ],
}

const configuration = ({ name, probes }: Description, found: Readonly<Record<string, unknown>>): string =>
  rendered() +
  stringify({
    global: { scrape_interval: '15s', scrape_timeout: '10s', external_labels: { system: name } },
    scrape_configs: [
      { job_name: name, metrics_path: probes.metrics, sample_limit: 20_000, body_size_limit: '10MB', ...found },
    ],
  })
