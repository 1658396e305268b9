// What the machine takes for a broker's work without a broker. Prints one line of JSON.
//
//   floor produce FOLDER FILES WINDOW_BYTES BYTES   receive, checksum, copy, write durably, write to files, which are new
//   floor requests FOLDER CONNECTIONS IN_FLIGHT REQUESTS   the same for requests of one record, and answer each
//   floor sync FOLDER RATE SECONDS                  4 KiB durably, RATE times a second, from when each was due
#define _GNU_SOURCE
#include <fcntl.h>
#include <immintrin.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "measure.h"

enum { REQUEST = 256, ANSWER = 64, BLOCK = 4096, GROUP = 1 << 20, PIECE = 64 << 10, STARTED = 8 << 20, JOURNAL = 64 << 20 };

static void die(const char *what) {
    perror(what);
    exit(1);
}

static char *aligned(size_t bytes) {
    char *buffer = aligned_alloc(BLOCK, bytes);
    if (!buffer) die("memory");
    memset(buffer, 1, bytes);
    return buffer;
}

// A journal as ours: written once before it is used, past the page cache.
static int journal(const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/floor-journal-%d", folder, getpid());
    int file = open(path, O_CREAT | O_RDWR | O_DIRECT, 0600);
    if (file < 0) die(path);
    char *zeros = aligned(GROUP);
    for (off_t at = 0; at < JOURNAL; at += GROUP)
        if (pwrite(file, zeros, GROUP, at) != GROUP) die("journal");
    if (fsync(file)) die("journal");
    free(zeros);
    return file;
}

static void write_durably(int file, char *bytes, size_t count, off_t at) {
    struct iovec whole = {bytes, count};
    if (pwritev2(file, &whole, 1, at, RWF_DSYNC) != (ssize_t)count) die("durable write");
}

// Three lanes, as fast as the processor has it; nobody reads the sum.
static unsigned long long checksum(const char *bytes, size_t count) {
    unsigned long long a = 0, b = 0, c = 0, word;
    for (size_t at = 0; at + 24 <= count; at += 24) {
        memcpy(&word, bytes + at, 8), a = _mm_crc32_u64(a, word);
        memcpy(&word, bytes + at + 8, 8), b = _mm_crc32_u64(b, word);
        memcpy(&word, bytes + at + 16, 8), c = _mm_crc32_u64(c, word);
    }
    return a ^ b ^ c;
}

// Keeps as many bytes on their way as a client's requests.
static void send_all(int socket, size_t window, unsigned long long bytes) {
    char *pool = aligned(PIECE);
    unsigned long long sent = 0, durable = 0;
    while (durable < bytes) {
        while (sent < bytes && sent - durable < window) {
            ssize_t count = send(socket, pool, sent + PIECE > bytes ? bytes - sent : PIECE, 0);
            if (count <= 0) die("send");
            sent += count;
        }
        if (recv(socket, &durable, sizeof durable, MSG_WAITALL) != sizeof durable) die("answer");
    }
    exit(0);
}

static int listen_at(struct sockaddr_in *address) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (bind(listener, (struct sockaddr *)address, length) || listen(listener, 128)) die("listen");
    getsockname(listener, (struct sockaddr *)address, &length);
    return listener;
}

static int without_delay(int socket) {
    int on = 1;
    if (socket < 0 || setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)) die("socket");
    return socket;
}

static int connect_to(const struct sockaddr_in *address) {
    int to = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(to, (const struct sockaddr *)address, sizeof *address)) die("connect");
    return without_delay(to);
}

static int connect_to_sender(size_t window, unsigned long long bytes) {
    struct sockaddr_in address;
    int listener = listen_at(&address);
    pid_t sender = fork();
    if (sender < 0) die("fork");
    if (!sender) send_all(connect_to(&address), window, bytes);
    return without_delay(accept(listener, NULL, NULL));
}

// Segments through the page cache, in pieces, of one file after the other.
struct segments {
    const char *folder;
    int *files;
    off_t *ends;
    int count, next;
};

// Each in a folder of its own, made when it is first written to.
static int segment(struct segments *to, int which) {
    if (to->files[which]) return to->files[which];
    char path[4096];
    snprintf(path, sizeof path, "%s/floor-%d-%d", to->folder, getpid(), which);
    if (mkdir(path, 0700)) die(path);
    strncat(path, "/segment", sizeof path - strlen(path) - 1);
    if ((to->files[which] = open(path, O_CREAT | O_WRONLY, 0600)) < 0) die(path);
    return to->files[which];
}

static void write_to_segments(struct segments *to, const char *bytes, size_t count) {
    for (size_t at = 0; at < count; at += PIECE) {
        size_t piece = count - at < PIECE ? count - at : PIECE;
        int which = to->next++ % to->count;
        if (pwrite(segment(to, which), bytes + at, piece, to->ends[which]) != (ssize_t)piece) die("segment");
        off_t before = to->ends[which] / STARTED;
        to->ends[which] += piece;
        if (to->ends[which] / STARTED != before) sync_file_range(to->files[which], before * STARTED, STARTED, SYNC_FILE_RANGE_WRITE);
    }
}

static void produce(char **a) {
    struct segments segments = {.folder = a[0], .count = atoi(a[1])};
    size_t window = strtoul(a[2], NULL, 10);
    unsigned long long bytes = strtoull(a[3], NULL, 10), received = 0, unused = 0;
    int durable = journal(a[0]);
    segments.files = calloc(segments.count, sizeof *segments.files);
    segments.ends = calloc(segments.count, sizeof *segments.ends);
    char *buffer = aligned(GROUP), *frame = aligned(GROUP);
    int from = connect_to_sender(window, bytes);
    double began = now(), cpu_began = cpu();
    for (off_t at = 0; received < bytes;) {
        ssize_t count = recv(from, buffer, GROUP, 0);
        if (count <= 0) die("receive");
        unused ^= checksum(buffer, count);
        memcpy(frame, buffer, count);
        size_t whole = (count + BLOCK - 1) / BLOCK * BLOCK;
        if (at + whole > JOURNAL) at = 0;
        write_durably(durable, frame, whole, at);
        at += whole, received += count;
        if (send(from, &received, sizeof received, 0) != sizeof received) die("answer");
        write_to_segments(&segments, buffer, count);
    }
    printf("{\"seconds\":%.4f,\"bytes\":%llu,\"cpu\":%.3f,\"unused\":%llu}\n", now() - began, received, cpu() - cpu_began, unused & 1);
}

// A client with so many requests on their way on each of its connections; what is answered is asked anew.
static void ask(const struct sockaddr_in *address, int connections, int in_flight, long long requests) {
    struct pollfd *polled = calloc(connections, sizeof *polled);
    size_t *unread = calloc(connections, sizeof *unread);
    char *pool = aligned((size_t)in_flight * REQUEST), *answers = aligned((size_t)in_flight * ANSWER);
    long long asked = 0, answered = 0;
    for (int i = 0; i < connections; i++) polled[i] = (struct pollfd){connect_to(address), POLLIN, 0};
    for (int i = 0; i < connections; i++) {
        if (send(polled[i].fd, pool, (size_t)in_flight * REQUEST, 0) != in_flight * REQUEST) die("ask");
        asked += in_flight;
    }
    while (answered < requests) {
        if (poll(polled, connections, -1) < 0) die("poll");
        for (int i = 0; i < connections; i++) {
            if (!polled[i].revents) continue;
            ssize_t count = recv(polled[i].fd, answers, (size_t)in_flight * ANSWER, 0);
            if (count <= 0) die("answers");
            long long now = (unread[i] + count) / ANSWER, more = now < requests - asked ? now : requests - asked;
            unread[i] = (unread[i] + count) % ANSWER;
            answered += now;
            if (more > 0 && send(polled[i].fd, pool, more * REQUEST, 0) != more * REQUEST) die("ask");
            asked += more > 0 ? more : 0;
        }
    }
    exit(0);
}

// All that has arrived by now is one group: summed request by request, copied, written durably, answered.
static void requests(char **a) {
    int connections = atoi(a[1]), in_flight = atoi(a[2]), durable = journal(a[0]);
    long long wanted = atoll(a[3]), answered = 0;
    struct sockaddr_in address;
    int listener = listen_at(&address);
    pid_t client = fork();
    if (client < 0) die("fork");
    if (!client) ask(&address, connections, in_flight, wanted);
    struct pollfd *polled = calloc(connections, sizeof *polled);
    size_t *held = calloc(connections, sizeof *held), *due = calloc(connections, sizeof *due);
    size_t window = (size_t)in_flight * REQUEST;
    char *buffers = aligned(window * connections), *frame = aligned(window * connections + BLOCK), *answers = aligned(in_flight * ANSWER);
    for (int i = 0; i < connections; i++)
        polled[i] = (struct pollfd){without_delay(accept(listener, NULL, NULL)), POLLIN, 0};
    unsigned long long unused = 0;
    double began = now(), cpu_began = cpu();
    for (off_t at = 0; answered < wanted;) {
        if (poll(polled, connections, -1) < 0) die("poll");
        size_t group = 0;
        for (int i = 0; i < connections; i++) {
            if (!polled[i].revents) continue;
            char *buffer = buffers + window * i;
            ssize_t count = recv(polled[i].fd, buffer + held[i], window - held[i], 0);
            if (count <= 0) die("receive");
            size_t whole = (held[i] + count) / REQUEST, rest = (held[i] + count) % REQUEST;
            for (size_t request = 0; request < whole; request++, group += REQUEST) {
                unused ^= checksum(buffer + request * REQUEST, REQUEST);
                memcpy(frame + group, buffer + request * REQUEST, REQUEST);
            }
            memmove(buffer, buffer + whole * REQUEST, rest);
            held[i] = rest, due[i] = whole;
        }
        size_t blocks = (group + BLOCK - 1) / BLOCK * BLOCK;
        if (at + blocks > JOURNAL) at = 0;
        if (blocks) write_durably(durable, frame, blocks, at);
        at += blocks;
        for (int i = 0; i < connections; answered += due[i], due[i] = 0, i++)
            if (due[i] && send(polled[i].fd, answers, due[i] * ANSWER, 0) != (ssize_t)(due[i] * ANSWER)) die("answer");
    }
    double seconds = now() - began;
    printf("{\"seconds\":%.4f,\"requestsPerSecond\":%.0f,\"cpu\":%.3f,\"unused\":%llu}\n", seconds, answered / seconds, cpu() - cpu_began, unused & 1);
}

static void sync_at_a_rate(char **a) {
    double rate = atof(a[1]);
    long long count = (long long)(rate * atof(a[2]));
    int file = journal(a[0]);
    char *block = aligned(BLOCK);
    double *latencies = malloc(count * sizeof *latencies), began = now();
    for (long long i = 0; i < count; i++) {
        double due = began + i / rate, early = due - now();
        if (early > 0) {
            struct timespec pause = {(time_t)early, (long)((early - (time_t)early) * 1e9)};
            nanosleep(&pause, NULL);
        }
        write_durably(file, block, BLOCK, i * BLOCK % JOURNAL);
        latencies[i] = (now() - due) * 1e3;
    }
    qsort(latencies, count, sizeof *latencies, by_value);
    printf("{\"p50\":%.3f,\"p99\":%.3f,\"p99_9\":%.3f,\"max\":%.3f}\n", latencies[count / 2], latencies[count * 99 / 100],
           latencies[count * 999 / 1000], latencies[count - 1]);
}

int main(int count, char **arguments) {
    if (count == 6 && !strcmp(arguments[1], "produce")) produce(arguments + 2);
    else if (count == 6 && !strcmp(arguments[1], "requests")) requests(arguments + 2);
    else if (count == 5 && !strcmp(arguments[1], "sync")) sync_at_a_rate(arguments + 2);
    else return fprintf(stderr, "floor: see the top of floor.c\n"), 1;
}
