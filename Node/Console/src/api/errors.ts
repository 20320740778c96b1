import type { Problem, ProblemCode } from './types'

/** A node answered with an error: problem details with a stable code and a sentence that says what to do. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Pick<Problem, 'code' | 'title' | 'detail'> & Partial<Problem>,
  ) {
    super(problem.detail)
    this.name = 'ApiError'
  }

  get code(): ProblemCode {
    return this.problem.code
  }
}

/** A node did not answer at all. What was asked of it may or may not have been done. */
export class UnreachableError extends Error {
  constructor(readonly address: string) {
    super(`${address} does not answer.`)
    this.name = 'UnreachableError'
  }
}

/** A file could not be taken over, for a reason that has nothing to do with whether the node is well. */
export class FileError extends Error {
  constructor(
    readonly title: string,
    detail: string,
  ) {
    super(detail)
    this.name = 'FileError'
  }
}

/** What to tell a person about an error of whatever kind: a title, and what it means. */
export function describe(error: unknown): { title: string; detail: string; code?: ProblemCode } {
  if (error instanceof ApiError) {
    return { title: error.problem.title, detail: error.problem.detail, code: error.code }
  }

  if (error instanceof UnreachableError) {
    return { title: 'The node does not answer', detail: `${error.message} Choose another node, or start it again.` }
  }

  if (error instanceof FileError) {
    return { title: error.title, detail: error.message }
  }

  return { title: 'Something went wrong in this page', detail: error instanceof Error ? error.message : String(error) }
}
