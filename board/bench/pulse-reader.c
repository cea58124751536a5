// pulse-reader CHIP A B
//
// Counts a pulser by libgpiod alone, as small as it can be: two lines of one request, both edges, the kernel's largest queue, one
// read for what waits, at the priority of greylockd's thread where it may. Looks at levels, at the order of the channels and at the
// kernel's numbers. CHIP is a device file. Prints "ready" when it has the lines; at SIGTERM the edges, the counts, what it noticed
// (missed, illegal, gaps) and the nanoseconds of processor time since it was ready.
#include <err.h>
#include <gpiod.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { QUEUE = 1024, BATCH = 256, PRIORITY = 40 };

static volatile sig_atomic_t ends;

static void end(int number) { ends = number; }

static long long processor(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int count, char **arguments) {
  if (count != 4) errx(2, "usage: pulse-reader CHIP A B");
  unsigned lines[2] = {(unsigned)atoi(arguments[2]), (unsigned)atoi(arguments[3])};
  struct gpiod_chip *chip = gpiod_chip_open(arguments[1]);
  struct gpiod_line_settings *settings = gpiod_line_settings_new();
  struct gpiod_line_config *config = gpiod_line_config_new();
  struct gpiod_request_config *request_config = gpiod_request_config_new();
  if (!chip || !settings || !config || !request_config) err(1, "%s", arguments[1]);
  gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_INPUT);
  gpiod_line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_BOTH);
  gpiod_line_config_add_line_settings(config, lines, 2, settings);
  gpiod_request_config_set_consumer(request_config, "pulse-reader");
  gpiod_request_config_set_event_buffer_size(request_config, QUEUE);
  struct gpiod_line_request *request = gpiod_chip_request_lines(chip, request_config, config);
  struct gpiod_edge_event_buffer *buffer = gpiod_edge_event_buffer_new(BATCH);
  if (!request || !buffer) err(1, "request");
  struct sigaction action = {.sa_handler = end};
  sigaction(SIGTERM, &action, NULL);

  struct sched_param priority = {.sched_priority = PRIORITY};
  if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) warn("sched_setscheduler");
  enum gpiod_line_value values[2];
  if (gpiod_line_request_get_values(request, values) != 0) err(1, "values");
  bool levels[2] = {values[0] == GPIOD_LINE_VALUE_ACTIVE, values[1] == GPIOD_LINE_VALUE_ACTIVE};
  unsigned long numbers[2] = {0, 0};
  int last = -1;
  long long edges = 0, counts = 0, missed = 0, illegal = 0, gaps = 0;
  puts("ready");
  fflush(stdout);
  long long begin = processor();
  while (!ends) {
    if (gpiod_line_request_wait_edge_events(request, 100000000) <= 0) continue;
    int got = gpiod_line_request_read_edge_events(request, buffer, BATCH);
    for (int index = 0; index < got; index++) {
      struct gpiod_edge_event *event = gpiod_edge_event_buffer_get_event(buffer, (unsigned long)index);
      int channel = gpiod_edge_event_get_line_offset(event) == lines[1];
      bool rising = gpiod_edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE;
      unsigned long number = gpiod_edge_event_get_line_seqno(event);
      edges++;
      if (number != numbers[channel] + 1) gaps++;
      numbers[channel] = number;
      if (levels[channel] == rising) {
        missed++;
        continue;
      }
      levels[channel] = rising;
      if (channel == last) illegal++;
      last = channel;
      bool equal = levels[0] == levels[1];
      counts += (channel == 0 ? !equal : equal) ? 1 : -1;
    }
  }
  printf("%lld edges, %lld counts, %lld missed, %lld illegal, %lld gaps, %lld ns\n", edges, counts, missed, illegal, gaps,
         processor() - begin);
  return 0;
}
