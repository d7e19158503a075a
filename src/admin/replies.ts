/** How the operator's listener answers: its errors, and tables as JSON or CSV. */
import type { FastifyReply } from 'fastify'

/** `code`: for programs. `message`: for people, what is wrong and what would be right. */
export function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send({ error: { code, message } })
}

/** What is wrong with a question, and what would be right. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.code = code
  }
}

export type Cell = string | number | null

/**
 * RFC 4180: lines end in CR LF, and a field with a comma, a quote or a line break is quoted. Nothing is put before a field that a
 * spreadsheet could take for a formula: every text here is the operator's own (callers' ids begin with a letter, models are
 * the catalogue's, what callers invent is `other`), and programs are to read it as it is.
 */
export function csvText(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [columns, ...rows].map(row => `${row.map(csvField).join(',')}\r\n`).join('')
}

function csvField(cell: Cell): string {
  const text = cell === null ? '' : String(cell)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** RFC 4180, 3: the first line names the columns. */
export const csvType = 'text/csv; charset=utf-8; header=present'

/** Micro-USD as dollars. A millionth is the least that there is, so it never becomes `1e-7`. */
export const usd = (microUsd: number): number => microUsd / 1e6
