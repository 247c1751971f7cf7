/** One coin and its edge. It has to be told from a digit and from a chain at 13 pixels. */
export function CoinIcon({ size = 24 }: { readonly size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={2}
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <ellipse cx="9.5" cy="12" rx="6.5" ry="9" />
      <path d="M9.5 3H14c3.6 0 6.5 4 6.5 9s-2.9 9-6.5 9H9.5" />
    </svg>
  )
}
