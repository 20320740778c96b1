import { AppShell, Burger, Center, Group, Loader, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { lazy, Suspense, useEffect, type ComponentType } from 'react'
import { ErrorBoundary } from './components/ErrorBoundary'
import { ClusterIcon, DataIcon, HistoryIcon, MasterIcon, OperationsIcon, SqlIcon, type IconProps } from './icons'
import { ClusterPage } from './pages/cluster/ClusterPage'
import { SignInPage } from './pages/signin/SignInPage'
import { BackupNotice } from './shell/BackupNotice'
import { HeaderTools } from './shell/HeaderTools'
import { HealthSummary } from './shell/HealthSummary'
import { ConnectionNotice } from './shell/ConnectionNotice'
import { NewTokenNotice } from './shell/NewTokenNotice'
import { Logo } from './shell/Logo'
import { useConnectionState } from './state/cluster'
import { hrefOf, useRoute } from './state/route'

interface PageEntry {
  path: string
  title: string
  Icon: ComponentType<IconProps>
  Page: ComponentType
}

// The largest comes last, so that it keeps no other waiting.
const loaders = {
  data: () => import('./pages/data/DataPage'),
  operations: () => import('./pages/operations/OperationsPage'),
  master: () => import('./pages/master/MasterPage'),
  history: () => import('./pages/history/HistoryPage'),
  sql: () => import('./pages/sql/SqlPage'),
}

const pages: PageEntry[] = [
  { path: 'cluster', title: 'Cluster', Icon: ClusterIcon, Page: ClusterPage },
  { path: 'sql', title: 'SQL', Icon: SqlIcon, Page: lazy(loaders.sql) },
  { path: 'data', title: 'Data', Icon: DataIcon, Page: lazy(loaders.data) },
  { path: 'operations', title: 'Operations', Icon: OperationsIcon, Page: lazy(loaders.operations) },
  { path: 'master', title: 'Master', Icon: MasterIcon, Page: lazy(loaders.master) },
  { path: 'history', title: 'Query log', Icon: HistoryIcon, Page: lazy(loaders.history) },
]

/** The frame around all pages: navigation, the cluster's health, who is signed in. */
export function App() {
  const phase = useConnectionState('phase')
  const [isMenuOpen, menu] = useDisclosure()
  const [path] = useRoute()
  const page = pages.find(p => p.path === path) ?? pages[0]!
  useEffect(menu.close, [path])
  useLoadAhead()
  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 184, breakpoint: 'sm', collapsed: { mobile: !isMenuOpen } }}
      padding="md"
      transitionDuration={0}
    >
      <a href="#main" className="skip-link" onClick={focusMain}>
        Skip to the page
      </a>
      <AppShell.Header className="frame">
        <Group h="100%" px="md" gap="sm" wrap="nowrap" justify="space-between">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <Burger opened={isMenuOpen} onClick={menu.toggle} hiddenFrom="sm" size="sm" aria-label={isMenuOpen ? 'Close the menu' : 'Open the menu'} />
            <Logo />
            <HealthSummary />
          </Group>
          <HeaderTools />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" className="frame" aria-label="Pages">
        {pages.map(({ path, title, Icon }) => (
          <a key={path} className="nav-link" href={hrefOf(path)} {...(path === page.path && { 'aria-current': 'page' as const })}>
            <Icon />
            {title}
          </a>
        ))}
        <Text size="xs" c="dimmed" mt="auto" px={10} py={4}>
          <a href="/openapi/v1.json" target="_blank" rel="noreferrer" className="quiet-link">
            API description
          </a>
        </Text>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className="main">
        <ConnectionNotice />
        <NewTokenNotice />
        <BackupNotice />
        {phase === 'signed_out' ? (
          <SignInPage />
        ) : (
          <ErrorBoundary key={page.path}>
            <Suspense fallback={<Loading />}>
              <page.Page />
            </Suspense>
          </ErrorBoundary>
        )}
      </AppShell.Main>
    </AppShell>
  )
}

function Loading() {
  return (
    <Center h={200}>
      <Loader size="sm" aria-label="Loading" />
    </Center>
  )
}

/** A plain link to #main would lead to another page. */
function focusMain(event: React.MouseEvent) {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

/** Gets all pages while the node that they come from is there: it may die before they are looked at. */
function useLoadAhead() {
  useEffect(() => {
    const load = () => Object.values(loaders).forEach(loader => void loader().catch(() => undefined))
    const handle = setTimeout(load, 300)
    return () => clearTimeout(handle)
  }, [])
}
