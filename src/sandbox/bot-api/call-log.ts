/** The calls that were received, and how they were answered. */
import type { CallCounts, CallRecord, SandboxEvent, UploadKind } from '../contract.ts'
import { fileParameter } from './files.ts'
import type { Parameters } from './parameters.ts'

/** The newest calls are kept, and a few more. */
const keptCalls = 20_000

const noCounts = (): CallCounts => ({ total: 0, methods: {}, succeeded: {}, uploads: 0, early: 0 })

/** One for a server. */
export class CallLog {
  /** the newest calls, oldest first */
  readonly calls: CallRecord[] = []
  readonly counts = noCounts()
  private last = 0

  constructor(
    private readonly local: boolean,
    private readonly tell: (event: SandboxEvent) => void,
  ) {}

  clear(): void {
    this.calls.length = 0
    Object.assign(this.counts, noCounts())
  }

  /** A call has come. */
  open(botId: number, method: string, parameters: Parameters): CallRecord {
    const chatId = Number(parameters.values.chat_id)
    const file =
      method === 'sendVideo' || method === 'sendDocument'
        ? fileParameter(parameters, method === 'sendVideo' ? 'video' : 'document', this.local)
        : undefined
    const record: CallRecord = {
      n: ++this.last,
      at: Date.now(),
      botId,
      method,
      chatId: parameters.values.chat_id === undefined || Number.isNaN(chatId) ? undefined : chatId,
      upload: uploadKind(file),
      bodyBytes: parameters.bodyBytes,
      uploadBytes: file !== undefined && 'upload' in file ? file.upload.size : undefined,
      fileUniqueId: undefined,
      thumbnail: undefined,
      parameters: parameters.values,
      status: undefined,
      description: undefined,
      messageId: undefined,
      fault: undefined,
      early: false,
    }
    this.calls.push(record)
    if (this.calls.length > keptCalls * 1.25) this.calls.splice(0, this.calls.length - keptCalls)
    this.counts.total += 1
    this.counts.methods[method] = (this.counts.methods[method] ?? 0) + 1
    this.tell({ type: 'call', call: record })
    return record
  }

  /** A call is over. `status`: undefined when nobody heard an answer. */
  close(record: CallRecord, status?: number, description?: string): void {
    const { counts } = this
    record.status = status
    record.description = description
    if (record.early) counts.early += 1
    if (status === 200) counts.succeeded[record.method] = (counts.succeeded[record.method] ?? 0) + 1
    // Taken, whether or not anybody heard the answer.
    const uploaded = record.upload === 'multipart' || record.upload === 'path'
    if (record.method === 'sendVideo' && record.messageId !== undefined && uploaded) counts.uploads += 1
    this.tell({ type: 'call', call: record })
  }
}

function uploadKind(file: ReturnType<typeof fileParameter>): UploadKind {
  if (file === undefined) return 'none'
  if ('upload' in file) return 'multipart'
  if ('address' in file) return 'path'
  return 'url' in file ? 'url' : 'file_id'
}
