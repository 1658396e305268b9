// A short life of KafkaJS, which no longer changes and is still everywhere.

const { Kafka, logLevel } = require('kafkajs')

const topic = 'golden-kafkajs'
const kafka = new Kafka({ clientId: 'golden-kafkajs', brokers: [process.argv[2]], logLevel: logLevel.ERROR })

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] })
  await admin.describeCluster()

  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ key: 'key', value: 'value', partition: 0, headers: { header: '1' } }] })
  await producer.disconnect()

  const transactional = kafka.producer({ transactionalId: 'golden-kafkajs-transaction', maxInFlightRequests: 1, idempotent: true })
  await transactional.connect()
  const transaction = await transactional.transaction()
  await transaction.send({ topic, messages: [{ key: 'key', value: 'in a transaction', partition: 1 }] })
  await transaction.sendOffsets({ consumerGroupId: 'golden-kafkajs-copy', topics: [{ topic, partitions: [{ partition: 0, offset: '1' }] }] })
  await transaction.commit()
  await transactional.disconnect()

  const consumer = kafka.consumer({ groupId: 'golden-kafkajs', heartbeatInterval: 300, maxWaitTimeInMs: 500 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise((seen) => consumer.run({ eachMessage: async () => seen() }))
  await new Promise((done) => setTimeout(done, 1500))
  await consumer.disconnect()

  await admin.fetchTopicOffsets(topic)
  await admin.fetchOffsets({ groupId: 'golden-kafkajs', topics: [topic] })
  await admin.deleteTopics({ topics: [topic] })
  await admin.disconnect()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
