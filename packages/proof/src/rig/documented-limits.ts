/** The limits that the product has when nobody sets any, for `rig.start`. */
export const documentedLimits = {
  RATE_LIMIT_MAX: undefined,
  AUTH_RATE_LIMIT_MAX: undefined,
  UPLOAD_RATE_LIMIT_MAX: undefined,
  EFFECTS_RATE_LIMIT_MAX: undefined,
} as const
