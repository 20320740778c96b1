import { Alert, Box, Button, Group, Progress, Text } from '@mantine/core'
import { ErrorAlert } from '../components/ErrorAlert'
import { formatBytes } from '../format'
import { CheckIcon, DownloadIcon } from '../icons'
import { useBackups } from '../state/backup'

/** How the download of a backup goes, whatever page comes next. */
export function BackupNotice() {
  const { status, cancel, dismiss } = useBackups()
  switch (status?.phase) {
    case 'running': {
      const { title, progress } = status
      const of = progress && progress.total !== null ? ` of ${formatBytes(progress.total)}` : ' so far'
      return (
        <Alert color="blue" role="status" aria-live="off" mb="md" icon={<DownloadIcon />} title={title}>
          <Group justify="space-between" gap="sm">
            <Text size="sm" className="tabular">
              {progress ? `${formatBytes(progress.bytes)}${of}` : 'The node makes a copy.'}
              {progress?.isAnew && ` · It broke off, and comes anew from node ${progress.node}.`}
            </Text>
            <Button variant="default" size="compact-xs" onClick={cancel}>
              Cancel
            </Button>
          </Group>
          {progress?.total ? <Progress value={(100 * progress.bytes) / progress.total} size="sm" mt={8} aria-label="Downloaded" /> : null}
        </Alert>
      )
    }

    case 'done':
      return (
        <Alert color="green" role="status" mb="md" icon={<CheckIcon />} title={`${status.title}: done`} withCloseButton closeButtonLabel="Dismiss" onClose={dismiss}>
          <span className="mono">{status.file}</span> has all of its {formatBytes(status.progress.bytes)}.
          {status.progress.isAnew && ` It broke off at first, and then came anew from node ${status.progress.node}.`}
        </Alert>
      )
    case 'failed':
      return (
        <Box mb="md">
          <ErrorAlert
            what={status.title}
            error={status.error}
            action={
              <Group justify="space-between" gap="sm">
                <Text size="sm">Nothing was kept.</Text>
                <Button variant="default" size="compact-xs" onClick={dismiss}>
                  Dismiss
                </Button>
              </Group>
            }
          />
        </Box>
      )
    default:
      return null
  }
}
