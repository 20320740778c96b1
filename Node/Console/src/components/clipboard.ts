import { notifications } from '@mantine/notifications'

/** Copies a text and says so. */
export async function copyText(text: string, what: string): Promise<void> {
  const isCopied = await write(text)
  notifications.show(
    isCopied ? { message: `Copied ${what}`, color: 'green' } : { message: 'The browser does not let this page copy. Use an export.', color: 'red' },
  )
}

async function write(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    )
  }

  // Pages by plain HTTP from another machine have no other way.
  const area = document.createElement('textarea')
  const focused = document.activeElement
  area.value = text
  area.className = 'off-screen'
  document.body.append(area)
  area.select()
  const isCopied = document.execCommand('copy')
  area.remove()
  if (focused instanceof HTMLElement) {
    focused.focus()
  }

  return isCopied
}
