// What fan-out over TCP cannot cost less than: one send() of ready bytes for each socket and turn.
//
//   limit SOCKETS BYTES TURNS_A_SECOND
//
// Listens on a free port of 127.0.0.1, says "port N", answers each upgrade without looking at it,
// and sends a WebSocket frame with BYTES of payload to every socket that many times a second, from
// a line "start" on stdin to a line "stop". Answers each line, of which there may be others, with its
// counts: frames sent, microseconds of CPU, sends that the kernel did not take whole.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char ANSWER[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    "Sec-WebSocket-Protocol: tickwire.v1\r\n\r\n";

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static unsigned long long nowNs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void say(unsigned long long frames, unsigned long long cut) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  unsigned long long cpuUs = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000ULL +
                             usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  printf("{\"frames\":%llu,\"cpuUs\":%llu,\"cut\":%llu}\n", frames, cpuUs, cut);
  fflush(stdout);
}

int main(int count, char **words) {
  if (count != 4) {
    fprintf(stderr, "usage: limit SOCKETS BYTES TURNS_A_SECOND\n");
    return 2;
  }
  int sockets = atoi(words[1]);
  unsigned payload = (unsigned)atoi(words[2]);
  unsigned long long intervalNs = (unsigned long long)(1e9 / atof(words[3]));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
  socklen_t size = sizeof address;
  getsockname(listener, (struct sockaddr *)&address, &size);
  listen(listener, 1024);
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  int *accepted = calloc(sockets, sizeof *accepted);
  char request[2048];
  for (int index = 0; index < sockets; index += 1) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) fail("accept");
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (recv(fd, request, sizeof request, 0) <= 0) fail("recv");
    if (send(fd, ANSWER, sizeof ANSWER - 1, 0) < 0) fail("send");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    accepted[index] = fd;
  }
  unsigned header = payload < 126 ? 2 : payload < 65536 ? 4 : 10;
  unsigned char *frame = calloc(1, header + payload);
  frame[0] = 0x82;
  frame[1] = payload < 126 ? payload : payload < 65536 ? 126 : 127;
  for (unsigned at = 2; at < header; at += 1) {
    unsigned shift = 8 * (header - 1 - at);
    frame[at] = shift < 32 ? payload >> shift & 255 : 0;
  }
  struct pollfd input = {.fd = 0, .events = POLLIN};
  char line[64];
  int sends = 0;
  unsigned long long frames = 0, cut = 0, nextNs = 0;
  for (;;) {
    long long waitNs = (long long)(nextNs - nowNs());
    struct timespec wait = {.tv_sec = 0, .tv_nsec = waitNs > 0 ? waitNs % 1000000000LL : 0};
    if (ppoll(&input, 1, sends ? &wait : NULL, NULL) > 0) {
      ssize_t length = read(0, line, sizeof line - 1);
      if (length <= 0) return 0;
      line[length] = 0;
      if (strcmp(line, "start\n") == 0) {
        sends = 1;
        nextNs = nowNs();
      }
      if (strcmp(line, "stop\n") == 0) sends = 0;
      say(frames, cut);
    }
    if (!sends || nowNs() < nextNs) continue;
    nextNs += intervalNs;
    for (int index = 0; index < sockets; index += 1) {
      ssize_t sent = send(accepted[index], frame, header + payload, MSG_NOSIGNAL);
      if (sent == (ssize_t)(header + payload)) frames += 1;
      else cut += 1;
    }
  }
}
