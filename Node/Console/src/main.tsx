import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './app.css'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { setNonce } from 'get-nonce'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Connection } from './api/connection'
import { App } from './App'
import { nonce } from './nonce'
import { BackupProvider } from './state/backup'
import { ClusterProvider } from './state/cluster'
import { SessionProvider, storedToken } from './state/session'
import { cssVariables, theme } from './theme'

setNonce(nonce)
const connection = new Connection(window.location.origin, storedToken())
void connection.run()

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <Notifications position="bottom-right" />
      <ClusterProvider connection={connection}>
        <SessionProvider>
          <BackupProvider>
            <App />
          </BackupProvider>
        </SessionProvider>
      </ClusterProvider>
    </MantineProvider>
  </StrictMode>,
)
