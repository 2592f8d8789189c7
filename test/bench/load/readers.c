// Many WebSocket clients in one thread, which read and count and do nothing else.
//
//   readers ADDRESS PORT SOCKETS FRAMES_FILE [stamps]
//
// Each socket opens /v1/ws with the subprotocol tickwire.v1 and sends what FRAMES_FILE holds for it:
// for each frame a length of 4 bytes (little-endian) and the bytes, already masked; a length of 0
// ends the frames of one socket, and the file begins anew for the socket after the last. Says
// "open N" on stdout when all are open, and answers each line on stdin with its counts so far:
// frames, bytes of payloads, microseconds of CPU, sockets that were closed.
// Nothing that arrives is looked at but the headers of frames; pings are answered. With `stamps`,
// each stamp in a payload (stamp.mjs) is compared with the clock, and the answer to a line has how
// many there were since the last one and how long they took: stamps, p50Us, p99Us, maxUs.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES (1 << 20)
#define EVENTS 1024
/** Microseconds; what takes longer is counted as this. */
#define DELAYS 4000000
#define MARKS 2
#define LETTERS 16
/** Sockets from one address to the same port, below the number of ports that a system gives out. */
#define SOCKETS_PER_ADDRESS 20000

typedef struct {
  int fd;
  int upgraded;
  /** How much of "\r\n\r\n" was seen. */
  int matched;
  unsigned char header[14];
  unsigned headerLength;
  unsigned long long payloadLeft;
  /** The payload of a ping that is being read goes into its answer. */
  int isPing;
  unsigned char pong[6 + 125];
  unsigned pongLength;
  unsigned char *frames;
  size_t framesLength;
  /** How much of a stamp was seen, and what its letters say so far. */
  unsigned stampLength;
  unsigned long long stamp;
} Client;

static unsigned long long frames, bytes;
static unsigned opened, closed;
static unsigned char buffer[READ_BYTES];
static int poller;
/** How many stamps took so many microseconds; NULL if nobody wants to know. */
static unsigned *delays;
static unsigned long long stamps;
static unsigned delayMax;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void sendAll(int fd, const unsigned char *from, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, from, length, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (sent < 0) return;
    from += sent;
    length -= (size_t)sent;
  }
}

static void end(Client *client) {
  close(client->fd);
  client->fd = -1;
  closed += 1;
}

static unsigned long long nowUs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static void takeStamp(unsigned long long stamp) {
  unsigned long long now = nowUs();
  unsigned long long delay = now > stamp ? now - stamp : 0;
  unsigned place = delay < DELAYS ? (unsigned)delay : DELAYS - 1;
  delays[place] += 1;
  stamps += 1;
  if (place > delayMax) delayMax = place;
}

/** Looks for stamps: two tildes and sixteen letters from a to p. */
static void lookForStamps(Client *client, const unsigned char *from, size_t length) {
  for (size_t at = 0; at < length; at += 1) {
    unsigned char byte = from[at];
    if (client->stampLength < MARKS) {
      client->stampLength = byte == '~' ? client->stampLength + 1 : 0;
      client->stamp = 0;
    } else if (byte >= 'a' && byte <= 'p') {
      client->stamp = client->stamp << 4 | (byte - 'a');
      client->stampLength += 1;
      if (client->stampLength < MARKS + LETTERS) continue;
      takeStamp(client->stamp);
      client->stampLength = 0;
    } else client->stampLength = 0;
  }
}

/** The delay that this part of the stamps did not exceed. */
static unsigned delayOf(double part) {
  unsigned long long wanted = (unsigned long long)(part * stamps), seen = 0;
  for (unsigned delay = 0; delay <= delayMax; delay += 1) {
    seen += delays[delay];
    if (seen > wanted) return delay;
  }
  return delayMax;
}

/** A pong with what the ping carried. */
static void answer(Client *client) {
  client->isPing = 0;
  sendAll(client->fd, client->pong, client->pongLength);
}

/** Bytes of the header, once enough of it is there to tell; 2 before. */
static unsigned headerSize(const Client *client) {
  if (client->headerLength < 2) return 2;
  unsigned low = client->header[1] & 127;
  return low == 127 ? 10 : low == 126 ? 4 : 2;
}

static unsigned long long payloadLength(const Client *client) {
  unsigned size = headerSize(client);
  if (size == 2) return client->header[1] & 127;
  unsigned long long length = 0;
  for (unsigned at = 2; at < size; at += 1) length = length << 8 | client->header[at];
  return length;
}

/** Takes what was read. Returns 0 if the socket is to be ended. */
static int take(Client *client, const unsigned char *from, size_t length) {
  size_t at = 0;
  while (at < length && !client->upgraded) {
    static const char END[] = "\r\n\r\n";
    unsigned char byte = from[at++];
    client->matched = byte == END[client->matched] ? client->matched + 1 : byte == '\r';
    if (client->matched < 4) continue;
    client->upgraded = 1;
    opened += 1;
    sendAll(client->fd, client->frames, client->framesLength);
  }
  while (at < length) {
    if (client->payloadLeft > 0) {
      size_t skipped = length - at;
      if (skipped > client->payloadLeft) skipped = client->payloadLeft;
      if (client->isPing) {
        memcpy(client->pong + client->pongLength, from + at, skipped);
        client->pongLength += skipped;
      } else if (delays != NULL) lookForStamps(client, from + at, skipped);
      client->payloadLeft -= skipped;
      at += skipped;
      if (client->isPing && client->payloadLeft == 0) answer(client);
      continue;
    }
    client->header[client->headerLength++] = from[at++];
    if (client->headerLength < headerSize(client)) continue;
    unsigned opcode = client->header[0] & 15;
    client->payloadLeft = payloadLength(client);
    client->headerLength = 0;
    if (opcode == 8) return 0;
    if (opcode == 9) {
      if (client->payloadLeft > 125) return 0;
      client->isPing = 1;
      // A mask of zeros.
      memcpy(client->pong, (const unsigned char[]){0x8a, 0x80, 0, 0, 0, 0}, 6);
      client->pong[1] |= client->payloadLeft;
      client->pongLength = 6;
      if (client->payloadLeft == 0) answer(client);
    } else {
      frames += 1;
      bytes += client->payloadLeft;
    }
  }
  return 1;
}

/** The sockets behind the first ones leave from 127.0.0.2 and so on. */
static void leaveFrom(int fd, int index) {
  struct sockaddr_in source = {.sin_family = AF_INET};
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + index / SOCKETS_PER_ADDRESS);
  int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(fd, (const struct sockaddr *)&source, sizeof source) < 0) fail("bind");
}

static void open_(Client *client, int index, const struct sockaddr_in *address,
                  const char *request) {
  client->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (client->fd < 0) fail("socket");
  if (index >= SOCKETS_PER_ADDRESS) leaveFrom(client->fd, index);
  if (connect(client->fd, (const struct sockaddr *)address, sizeof *address) < 0) fail("connect");
  int on = 1;
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sendAll(client->fd, (const unsigned char *)request, strlen(request));
  fcntl(client->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event) < 0) fail("epoll_ctl");
}

static void readClient(Client *client) {
  while (client->fd >= 0) {
    ssize_t length = recv(client->fd, buffer, READ_BYTES, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0 || !take(client, buffer, (size_t)length)) end(client);
    if (length < READ_BYTES) return;
  }
}

static void say(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  unsigned long long cpuUs = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000ULL +
                             usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  printf("{\"frames\":%llu,\"bytes\":%llu,\"cpuUs\":%llu,\"closed\":%u", frames, bytes, cpuUs,
         closed);
  if (delays != NULL) {
    printf(",\"stamps\":%llu,\"p50Us\":%u,\"p99Us\":%u,\"maxUs\":%u", stamps, delayOf(0.5),
           delayOf(0.99), delayMax);
    memset(delays, 0, DELAYS * sizeof *delays);
    stamps = 0;
    delayMax = 0;
  }
  printf("}\n");
  fflush(stdout);
}

/** Gives each client its part of the file. */
static void readFrames(Client *clients, int count, const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail(path);
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  unsigned char *all = malloc(size + 1);
  if (all == NULL || fread(all, 1, size, file) != size) fail("the frames cannot be read");
  fclose(file);
  size_t at = 0;
  for (int index = 0; index < count; index += 1) {
    if (at >= size) at = 0;
    clients[index].frames = malloc(size + 1);
    size_t kept = 0;
    while (at + 4 <= size) {
      unsigned length = (unsigned)all[at] | (unsigned)all[at + 1] << 8 |
                        (unsigned)all[at + 2] << 16 | (unsigned)all[at + 3] << 24;
      at += 4;
      if (length == 0) break;
      memcpy(clients[index].frames + kept, all + at, length);
      kept += length;
      at += length;
    }
    clients[index].framesLength = kept;
    clients[index].frames = realloc(clients[index].frames, kept + 1);
  }
  free(all);
}

int main(int count, char **words) {
  if (count < 5 || count > 6) {
    fprintf(stderr, "usage: readers ADDRESS PORT SOCKETS FRAMES_FILE [stamps]\n");
    return 2;
  }
  if (count == 6) delays = calloc(DELAYS, sizeof *delays);
  int sockets = atoi(words[3]);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(words[2]))};
  if (inet_pton(AF_INET, words[1], &address.sin_addr) != 1) fail(words[1]);
  poller = epoll_create1(0);
  Client *clients = calloc(sockets, sizeof *clients);
  readFrames(clients, sockets, words[4]);
  char request[512];
  snprintf(request, sizeof request,
           "GET /v1/ws HTTP/1.1\r\nHost: %s:%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Protocol: tickwire.v1\r\n\r\n",
           words[1], words[2]);
  struct epoll_event stdinEvent = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, 0, &stdinEvent);
  int begun = 0, said = 0;
  struct epoll_event events[EVENTS];
  for (;;) {
    // A few at a time, so that the server's queue of accepted sockets does not overflow.
    for (int some = 0; some < 32 && begun < sockets && begun < (int)opened + 128; some += 1) {
      open_(&clients[begun], begun, &address, request);
      begun += 1;
    }
    int ready = epoll_wait(poller, events, EVENTS, begun < sockets ? 0 : -1);
    for (int index = 0; index < ready; index += 1) {
      Client *client = events[index].data.ptr;
      if (client != NULL) {
        readClient(client);
        continue;
      }
      char line[64];
      if (read(0, line, sizeof line) <= 0) return 0;
      say();
    }
    if (!said && (int)opened == sockets) {
      said = 1;
      printf("open %u\n", opened);
      fflush(stdout);
    }
  }
}
