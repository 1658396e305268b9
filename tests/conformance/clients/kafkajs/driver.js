// KafkaJS does what the story asks. It consumes only in groups: here it produces and administrates.

const { createInterface } = require('node:readline')
const { createRequire } = require('node:module')

// The packages lie where they were installed, which is not here.
const [address, modules] = [process.argv[3], createRequire(process.argv[2] + '/')]
const { Kafka, CompressionCodecs, CompressionTypes, logLevel } = modules('kafkajs')
// Its packages for LZ4 and Zstandard are of C++ that is compiled where it is installed, with headers from elsewhere: these are the
// codecs themselves, handed over as KafkaJS's documentation says for codecs of one's own. (Node's own zlib knows Zstandard from 22.15 on.)
const [lz4, zstd] = [modules('lz4-napi'), modules('@mongodb-js/zstd')]
const codec = (compress, decompress) => () => ({ compress: async (encoder) => compress(encoder.buffer), decompress: async (data) => decompress(data) })
CompressionCodecs[CompressionTypes.Snappy] = modules('kafkajs-snappy')
CompressionCodecs[CompressionTypes.LZ4] = codec(lz4.compressFrame, lz4.decompressFrame)
CompressionCodecs[CompressionTypes.ZSTD] = codec(zstd.compress, zstd.decompress)

const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 20, maxRetryTime: 2000 } })
const admin = kafka.admin()
const producers = {}
const { None: none, GZIP: gzip, Snappy: snappy, LZ4, ZSTD } = CompressionTypes
const compressions = { none, gzip, snappy, lz4: LZ4, zstd: ZSTD }

// One character is one byte; null is null.
const bytes = (text) => (text === null ? null : Buffer.from(text, 'latin1'))

// Producers are kept: they have to live through the broker's restarts.
async function producer(compression, acks, idempotent) {
  const key = [compression, acks, idempotent].join()
  if (!producers[key]) {
    producers[key] = kafka.producer({ idempotent, maxInFlightRequests: idempotent ? 1 : null })
    await producers[key].connect()
  }
  return producers[key]
}

const commands = {
  async create({ topic, partitions, replicas = 1, settings = {} }) {
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
    const entry = { topic, numPartitions: partitions, replicationFactor: replicas, configEntries }
    // That the topic exists is the one error that it does not throw.
    if (!(await admin.createTopics({ topics: [entry], waitForLeaders: false }))) return { error: 36 }
  },
  async grow({ topic, partitions }) {
    await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] })
  },
  async describe({ topic }) {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const partitions = topics[0].partitions.map((each) => ({
      partition: each.partitionId, leader: each.leader, replicas: each.replicas, isr: each.isr,
    }))
    return { partitions: partitions.sort((one, other) => one.partition - other.partition) }
  },
  async list() {
    return { topics: await admin.listTopics() }
  },
  async delete({ topic }) {
    await admin.deleteTopics({ topics: [topic] })
  },
  async delete_records({ topic, partition, offset }) {
    // It knows the leaders of topics only that it has been asked about.
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
  },
  async offsets({ topic, partition }) {
    const found = (await admin.fetchTopicOffsets(topic)).find((each) => each.partition === partition)
    return { earliest: Number(found.low), latest: Number(found.high) }
  },
  async produce({ topic, partition, records, compression, acks, idempotent }) {
    const messages = records.map((record) => {
      const headers = {}
      for (const [key, value] of record.headers) {
        headers[key] = key in headers ? [].concat(headers[key], bytes(value)) : bytes(value)
      }
      return { partition, key: bytes(record.key), value: bytes(record.value), timestamp: String(record.timestamp), headers }
    })
    const settings = { topic, messages, compression: compressions[compression], acks: acks === 'all' ? -1 : Number(acks) }
    const answers = await (await producer(compression, acks, idempotent)).send(settings)
    const first = Number(answers[0]?.baseOffset)
    return { offsets: records.map((_, index) => first + index) }
  },
}

async function main() {
  await admin.connect()
  console.log(JSON.stringify({
    commands: Object.keys(commands), compressions: Object.keys(compressions), acks: ['0', '1', 'all'], idempotent: true,
    // It cannot write a header that is null.
    differs: { 'null header': true },
  }))
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line)
    let answer
    try {
      answer = (await commands[request.do](request)) ?? {}
    } catch (error) {
      // What the broker said stands behind what it throws.
      const behind = (each) => each.originalError ?? each.cause ?? each.errors?.[0] ?? each.partitions?.[0]?.error
      let cause = error
      while (cause.code === undefined && behind(cause)) cause = behind(cause)
      answer = { error: cause.code ?? -1, text: String(error) }
    }
    console.log(JSON.stringify(answer))
  }
  for (const each of [admin, ...Object.values(producers)]) await each.disconnect()
}

main()
