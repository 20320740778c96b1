/** The nonce of this page, without which nothing may add styles to it: see Node/Api/WebConsole. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''
