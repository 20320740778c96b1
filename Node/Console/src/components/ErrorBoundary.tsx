import { Button } from '@mantine/core'
import { Component, type ReactNode } from 'react'
import { ErrorAlert } from './ErrorAlert'

/** Keeps a page that fails from taking the others with it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null as unknown }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override render() {
    return this.state.error === null ? (
      this.props.children
    ) : (
      <ErrorAlert
        error={this.state.error}
        action={
          <Button variant="default" onClick={() => window.location.reload()}>
            Load the console anew
          </Button>
        }
      />
    )
  }
}
