// A member of a group, by KafkaJS.

const { createRequire } = require('node:module')

const [folder, address, groupId, topic] = process.argv.slice(2)
const { Kafka, logLevel } = createRequire(folder + '/')('kafkajs')

const say = (what) => process.stdout.write(JSON.stringify(what) + '\n')
const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 50, initialRetryTime: 100, maxRetryTime: 1000 } })
const consumer = kafka.consumer({ groupId, sessionTimeout: 10000, rebalanceTimeout: 10000, heartbeatInterval: 500, metadataMaxAge: 2000 })

consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => say({ assigned: payload.memberAssignment[topic] ?? [] }))
consumer.on(consumer.events.REBALANCING, () => say({ assigned: [] }))

async function main() {
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    async eachMessage({ partition, message }) {
      say({ record: [partition, Number(message.offset)] })
      const offset = Number(message.offset) + 1
      await consumer.commitOffsets([{ topic, partition, offset: String(offset) }])
      say({ committed: [[partition, offset]] })
    },
  })
  process.stdin.on('end', async () => {
    await consumer.disconnect()
    process.exit(0)
  })
  process.stdin.resume()
}

main()
