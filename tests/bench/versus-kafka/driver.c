// A neutral driver: librdkafka, as anybody would use it. Prints one line of JSON.
//
//   driver produce BROKERS TOPIC PARTITIONS RECORDS RECORD_BYTES BATCH_BYTES LINGER_MS
//   driver consume BROKERS TOPIC PARTITIONS RECORDS
//   driver latency BROKERS TOPIC RATE SECONDS      end to end, from when each record was due
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

static long long delivered, failed;

static void die(const char *what) {
    fprintf(stderr, "driver: %s\n", what);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char error[512];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) die(error);
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client, (void)opaque;
    if (message->err) failed++;
    else delivered++;
}

static rd_kafka_t *start(rd_kafka_type_t type, rd_kafka_conf_t *conf) {
    char error[512];
    rd_kafka_t *client = rd_kafka_new(type, conf, error, sizeof error);
    if (!client) die(error);
    return client;
}

static rd_kafka_t *producer(const char *brokers, const char *batch_bytes, const char *linger_ms) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "acks", "all");
    set(conf, "batch.size", batch_bytes);
    set(conf, "batch.num.messages", "1000000");
    set(conf, "message.max.bytes", "1048576");
    set(conf, "linger.ms", linger_ms);
    set(conf, "queue.buffering.max.kbytes", "262144");
    set(conf, "queue.buffering.max.messages", "1000000");
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    return start(RD_KAFKA_PRODUCER, conf);
}

static void produce(char **a) {
    const char *topic = a[1];
    int partitions = atoi(a[2]);
    long long records = atoll(a[3]);
    size_t bytes = strtoul(a[4], NULL, 10);
    rd_kafka_t *client = producer(a[0], a[5], a[6]);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    // Random bytes, and each record another part of them.
    size_t pool_bytes = 1 << 20;
    char *pool = malloc(pool_bytes + bytes);
    srand(1);
    for (size_t i = 0; i < pool_bytes + bytes; i++) pool[i] = (char)rand();
    double began = now(), cpu_began = cpu();
    for (long long i = 0; i < records; i++) {
        char *value = pool + (i * 7919) % pool_bytes;
        // The pool outlives the records: none is copied before it goes into its batch.
        while (rd_kafka_produce(handle, (int)(i % partitions), 0, value, bytes, NULL, 0, NULL)) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) die("produce failed");
            rd_kafka_poll(client, 10);
        }
        if (i % 256 == 0) rd_kafka_poll(client, 0);
    }
    rd_kafka_flush(client, 120000);
    double seconds = now() - began;
    if (failed || delivered != records) die("records were not delivered");
    printf("{\"seconds\":%.4f,\"records\":%lld,\"bytes\":%lld,\"driver_cpu\":%.3f}\n", seconds, records,
           records * (long long)bytes, cpu() - cpu_began);
}

static rd_kafka_t *consumer(const char *brokers, const char *wait_ms) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "group.id", "driver");
    set(conf, "enable.auto.commit", "false");
    set(conf, "fetch.wait.max.ms", wait_ms);
    set(conf, "queued.max.messages.kbytes", "65536");
    set(conf, "max.partition.fetch.bytes", "1048576");
    rd_kafka_t *client = start(RD_KAFKA_CONSUMER, conf);
    rd_kafka_poll_set_consumer(client);
    return client;
}

static void consume(char **a) {
    int partitions = atoi(a[2]);
    long long records = atoll(a[3]), seen = 0, bytes = 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, a[1], i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_t *client = consumer(a[0], "500");
    // To connect and to learn where everything is takes longer than a short run.
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, a[1], NULL);
    if (rd_kafka_metadata(client, 0, handle, &metadata, 10000)) die("no metadata");
    double began = now(), cpu_began = cpu();
    if (rd_kafka_assign(client, list)) die("assign failed");
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
    static rd_kafka_message_t *messages[10000];
    while (seen < records) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, 10, messages, 10000);
        if (now() - began > 300) die("too slow");
        for (ssize_t i = 0; i < count; i++) {
            if (!messages[i]->err) seen++, bytes += messages[i]->len;
            rd_kafka_message_destroy(messages[i]);
        }
    }
    printf("{\"seconds\":%.4f,\"records\":%lld,\"bytes\":%lld,\"driver_cpu\":%.3f}\n", now() - began, seen, bytes,
           cpu() - cpu_began);
}

static void latency(char **a) {
    double rate = atof(a[2]), duration = atof(a[3]);
    long long records = (long long)(rate * duration), seen = 0, sent = 0;
    double *latencies = malloc(records * sizeof *latencies);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, a[1], 0)->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_t *to = producer(a[0], "1000000", "0"), *from = consumer(a[0], "500");
    if (rd_kafka_assign(from, list)) die("assign failed");
    rd_kafka_topic_t *handle = rd_kafka_topic_new(to, a[1], NULL);
    // Until the consumer stands at the end.
    double warm = now();
    while (now() - warm < 2) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(from, 10);
        if (message) rd_kafka_message_destroy(message);
    }
    char value[1024];
    memset(value, 'x', sizeof value);
    double began = now();
    while (seen < records) {
        while (sent < records && began + sent / rate <= now()) {
            double due = began + sent / rate;
            memcpy(value, &due, sizeof due);
            if (rd_kafka_produce(handle, 0, RD_KAFKA_MSG_F_COPY, value, sizeof value, NULL, 0, NULL)) break;
            sent++;
        }
        rd_kafka_poll(to, 0);
        rd_kafka_message_t *message = rd_kafka_consumer_poll(from, 0);
        if (!message) {
            struct timespec pause = {0, 50000};
            nanosleep(&pause, NULL);
        } else {
            double due;
            if (!message->err && message->len == sizeof value) {
                memcpy(&due, message->payload, sizeof due);
                latencies[seen++] = (now() - due) * 1e3;
            }
            rd_kafka_message_destroy(message);
        }
        if (now() - began > duration + 60) die("records are missing");
    }
    qsort(latencies, records, sizeof *latencies, by_value);
    printf("{\"p50\":%.3f,\"p99\":%.3f,\"p99_9\":%.3f,\"max\":%.3f,\"records\":%lld}\n", latencies[records / 2],
           latencies[records * 99 / 100], latencies[records * 999 / 1000], latencies[records - 1], records);
}

int main(int count, char **arguments) {
    if (count == 9 && !strcmp(arguments[1], "produce")) produce(arguments + 2);
    else if (count == 6 && !strcmp(arguments[1], "consume")) consume(arguments + 2);
    else if (count == 6 && !strcmp(arguments[1], "latency")) latency(arguments + 2);
    else die("see the top of driver.c");
    // Taking clients apart is not measured.
    fflush(stdout);
    _Exit(0);
}
