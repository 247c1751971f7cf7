/** What helps, and nothing about what must be in it: every mixture is taken. */
export const newPasswordHint = 'At least 8 characters. A few words in a row are good.'
