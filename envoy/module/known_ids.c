/* What the owner cache has decided once of a path, decided again before anything else runs.
 *
 * The owner cache (../lua/owner_cache.lua) finds out what a path means, whose the id in it is, and
 * tells this module, which keeps the outcome by all that it depended on: the method, the path
 * without its query, and the version asked for. A request that comes again gets its cluster and its
 * pod's path here, before Envoy looks for its route, so that the route of a known id is its first:
 * Envoy then makes neither Lua nor ext_proc for it. What this module does not have goes the way that
 * it would go without it.
 *
 * It also takes off every request what only Envoy and the processor may say.
 *
 * Each worker of Envoy has what it keeps for itself, as it has a Lua of its own that runs in the same
 * thread: nothing here is shared or locked. There may be several Luas in a thread, of listeners that
 * drain and of scripts that were replaced a moment ago: those with the same script share what is kept
 * here, and a new script forgets everything (`trio2o_known_begin_1`). Each has learnt other pods, so
 * that what putting an answer into the users' words takes is kept, too (`trio2o_known_describe`).
 */
#define _GNU_SOURCE
#include "abi.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Longer ones are left to Lua: nobody's every-day path. */
#define LONGEST_KEY 1024
#define LONGEST_PREFIX 512
#define LONGEST_CLUSTER 256
#define LONGEST_WORDS ((size_t)1 << 16)
/* With a path as long as Envoy takes, 96 KiB by default, no copy on the stack. */
#define LONGEST_PATH 8192
#define MOST_HEADERS 128
#define CHUNK ((size_t)1 << 18)
/* An entry takes some 150 bytes; their number alone would be no limit. */
#define BYTES_FOR_EACH ((size_t)256)
/* Below an id clients may choose paths: the rest of them is left to Lua. */
#define MOST_OF_AN_ID 64
#define MOST_ENTRIES ((size_t)1 << 28)
/* A power of two. */
#define PLACES_OF_WORDS 256

/* Out of memory, Envoy ends too. */
static void *needed(void *memory) {
  if (!memory) abort();
  return memory;
}

#define TEXT(literal) ((envoy_buffer){literal, sizeof(literal) - 1})

/* In which header the version was asked for, if it was; as in owner_cache.lua. */
enum said_in { NOWHERE, STANDARD, LEGACY };

/* A decision: under `hash` of method, path and version, which stand in `bytes` one behind the other,
 * followed by the path's new beginning and the cluster. */
struct entry {
  struct entry *next;
  struct entry *next_of_id;
  uint64_t hash;
  uint64_t id_hash;
  uint16_t method, path, version, prefix, cluster;
  /* How much of the path the new beginning replaces. */
  uint16_t cut;
  /* How many there were of the id with this one. */
  uint8_t of_id;
  uint8_t said_in;
  bool seen;
  bool gone;
  char bytes[];
};

struct chunk {
  struct chunk *next;
  size_t used;
  _Alignas(max_align_t) char bytes[CHUNK];
};

/* What Lua has to know of a cluster to put its answers into the users' words. */
struct words {
  struct words *next;
  size_t name, length;
  char bytes[];
};

/* Of one worker. Both tables have `mask` + 1 places; they are there once something is kept. */
struct store {
  /* The script whose decisions these are: what it calls itself, and its number in this thread. */
  uint64_t script_hash;
  uint32_t script;
  struct words *words[PLACES_OF_WORDS];
  struct entry **by_key;
  struct entry **by_id;
  struct chunk *chunks;
  size_t mask, capacity, count, bytes;
};

static __thread struct store store;

/* Nobody outside must be able to choose ids that meet in one place of a table. */
static struct { uint64_t start, odd; } seed;

/* The header that names the cluster: the answer passes as it is, or Lua puts it into users' words. */
static const envoy_buffer HEADERS[] = {
    {"x-trio2o-early-known", sizeof("x-trio2o-early-known") - 1},
    {"x-trio2o-early-seen", sizeof("x-trio2o-early-seen") - 1},
};

/* Both halves of a product with a secret: of the lower one alone, texts could be told to meet that
 * differ in the highest bits of their words, whatever the secret is. */
static uint64_t folded(uint64_t hash) {
  unsigned __int128 product = (unsigned __int128)hash * seed.odd;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t mixed(uint64_t hash, const char *bytes, size_t length) {
  /* The length first, so that "ab", "c" is another key than "a", "bc". */
  hash = folded(hash ^ length);
  while (length >= sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    hash = folded(hash ^ word);
    bytes += sizeof word;
    length -= sizeof word;
  }
  uint64_t rest = 0;
  if (length) memcpy(&rest, bytes, length);
  return folded(hash ^ rest);
}

static uint64_t key_hash(envoy_buffer method, envoy_buffer path, envoy_buffer version,
                         uint8_t said_in) {
  uint64_t hash = mixed(seed.start ^ said_in, method.ptr, method.length);
  hash = mixed(hash, path.ptr, path.length);
  return mixed(hash, version.ptr, version.length);
}

static bool same(const char *bytes, envoy_buffer text) {
  return text.length == 0 || memcmp(bytes, text.ptr, text.length) == 0;
}

static bool is(envoy_buffer text, envoy_buffer other) {
  return text.length == other.length && same(text.ptr, other);
}

static bool begins(envoy_buffer text, envoy_buffer other) {
  return text.length >= other.length && same(text.ptr, other);
}

/* What a request says that a decision may depend on. */
struct asked {
  envoy_buffer method, path, version;
  uint8_t said_in;
  /* Somebody asks why, or says something that Lua had better look at. */
  bool left_to_lua;
};

/* ------------------------------------------------------------------------- what Lua tells */

static void forget_all(void) {
  if (store.by_key) {
    memset(store.by_key, 0, (store.mask + 1) * sizeof *store.by_key);
    memset(store.by_id, 0, (store.mask + 1) * sizeof *store.by_id);
  }
  while (store.chunks && store.chunks->next) {
    struct chunk *spare = store.chunks;
    store.chunks = spare->next;
    free(spare);
  }
  if (store.chunks) store.chunks->used = 0;
  store.count = 0;
  store.bytes = store.chunks ? sizeof(struct chunk) : 0;
}

static void drop_tables(void) {
  free(store.by_key);
  free(store.by_id);
  store.by_key = store.by_id = NULL;
}

static bool has_tables(void) {
  if (store.by_key) return true;
  size_t places = 64;
  while (places < store.capacity) places *= 2;
  store.by_key = calloc(places, sizeof *store.by_key);
  store.by_id = calloc(places, sizeof *store.by_id);
  if (!store.by_key || !store.by_id) {
    drop_tables();
    return false;
  }
  store.mask = places - 1;
  return true;
}

static struct entry *new_entry(size_t length) {
  const size_t border = _Alignof(struct entry) - 1;
  size_t size = (sizeof(struct entry) + length + border) & ~border;
  struct chunk *chunk = store.chunks;
  if (!chunk || CHUNK - chunk->used < size) {
    chunk = malloc(sizeof *chunk);
    if (!chunk) return NULL;
    chunk->next = store.chunks;
    chunk->used = 0;
    store.chunks = chunk;
    store.bytes += sizeof *chunk;
  }
  struct entry *entry = (struct entry *)(void *)(chunk->bytes + chunk->used);
  chunk->used += size;
  return entry;
}

static void forget_words(void) {
  for (size_t place = 0; place < PLACES_OF_WORDS; place++) {
    while (store.words[place]) {
      struct words *words = store.words[place];
      store.words[place] = words->next;
      free(words);
    }
  }
}

/* Says which script speaks from now on, by what it calls itself, and how many decisions are kept; 0:
 * none. Another script's are forgotten. Gives the number by which the others tell who speaks: a script
 * that was replaced may run a little longer, and what it says holds no more.
 *
 * The number in the name is that of what Lua and this file agree on: these functions and the headers
 * that name the cluster. An Envoy elsewhere may have a module of another day than the Lua it is sent,
 * which must not find the one that it looks for then. */
uint32_t trio2o_known_begin_1(const char *name, size_t length, size_t capacity) {
  uint64_t hash = mixed(seed.start, name, length);
  if (capacity > MOST_ENTRIES) capacity = MOST_ENTRIES;
  if (store.script && hash == store.script_hash && capacity == store.capacity) return store.script;
  forget_all();
  forget_words();
  if (capacity != store.capacity) {
    drop_tables();
    store.capacity = capacity;
  }
  store.script_hash = hash;
  return ++store.script;
}

/* Forgets what was decided. */
void trio2o_known_clear(uint32_t script) {
  if (script == store.script) forget_all();
}

/* How many decisions are kept. */
size_t trio2o_known_count(void) { return store.count; }

/* Forgets what was decided of paths with an id. */
void trio2o_known_forget(const char *id, size_t length) {
  if (!store.by_id) return;
  uint64_t hash = mixed(seed.start, id, length);
  struct entry **place = &store.by_id[hash & store.mask];
  while (*place) {
    struct entry *entry = *place;
    if (entry->id_hash != hash) {
      place = &entry->next_of_id;
      continue;
    }
    /* Another id with the same hash is forgotten too, which only costs a question. */
    entry->gone = true;
    /* Who asks for thousands of paths with an id would have all of them looked at each time. */
    *place = entry->next_of_id;
  }
}

static struct words **place_of_words(envoy_buffer name) {
  uint64_t hash = mixed(seed.start, name.ptr, name.length);
  struct words **place = &store.words[hash & (PLACES_OF_WORDS - 1)];
  while (*place && !((*place)->name == name.length && same((*place)->bytes, name))) {
    place = &(*place)->next;
  }
  return place;
}

/* Keeps what Lua has to know of a cluster, and says whether it did. */
bool trio2o_known_describe(uint32_t script, const char *name, size_t name_length, const char *text,
                           size_t length) {
  if (script != store.script || name_length > LONGEST_CLUSTER || length > LONGEST_WORDS) return false;
  struct words **place = place_of_words((envoy_buffer){name, name_length});
  struct words *before = *place;
  if (before && is((envoy_buffer){before->bytes + name_length, before->length},
                   (envoy_buffer){text, length})) {
    return true;
  }
  struct words *words = malloc(sizeof *words + name_length + length);
  if (!words) return false;
  *words = (struct words){.next = before ? before->next : NULL, .name = name_length, .length = length};
  memcpy(mempcpy(words->bytes, name, name_length), text, length);
  *place = words;
  free(before);
  return true;
}

/* Gives what was said of a cluster, until more is said; NULL if nothing was. */
const char *trio2o_known_words(const char *name, size_t name_length, size_t *length) {
  const struct words *words = *place_of_words((envoy_buffer){name, name_length});
  *length = words ? words->length : 0;
  return words ? words->bytes + words->name : NULL;
}

static struct entry *find(const struct asked *asked, envoy_buffer path) {
  envoy_buffer method = asked->method, version = asked->version;
  uint64_t hash = key_hash(method, path, version, asked->said_in);
  struct entry *entry = store.by_key[hash & store.mask];
  for (; entry; entry = entry->next) {
    if (entry->hash == hash && entry->method == method.length && entry->path == path.length &&
        entry->version == version.length && entry->said_in == asked->said_in &&
        same(entry->bytes, method) && same(entry->bytes + entry->method, path) &&
        same(entry->bytes + entry->method + entry->path, version)) {
      return entry->gone ? NULL : entry;
    }
  }
  return NULL;
}

static const char *prefix_of(const struct entry *entry) {
  return entry->bytes + entry->method + entry->path + entry->version;
}

static const char *cluster_of(const struct entry *entry) { return prefix_of(entry) + entry->prefix; }

static bool says(const struct entry *entry, size_t cut, envoy_buffer prefix, envoy_buffer cluster,
                 bool seen) {
  return entry->cut == cut && entry->seen == seen && entry->prefix == prefix.length &&
         entry->cluster == cluster.length && same(prefix_of(entry), prefix) &&
         same(cluster_of(entry), cluster);
}

static uint8_t count_of_id(uint64_t id_hash) {
  const struct entry *entry = store.by_id[id_hash & store.mask];
  while (entry && entry->id_hash != id_hash) entry = entry->next_of_id;
  return entry ? entry->of_id : 0;
}

/* Keeps a decision, and says whether it did. Texts come with their lengths, as Lua's do.
 *
 * Of `path`, which has no query, the first `cut` bytes give way to `prefix`; `seen`: Lua puts the
 * answer into the users' words. `said_in`: see above. */
bool trio2o_known_keep(uint32_t script, const char *method, size_t method_length,
                       const char *path, size_t path_length,
                       const char *version, size_t version_length, uint8_t said_in,
                       const char *id, size_t id_length, size_t cut,
                       const char *prefix, size_t prefix_length,
                       const char *cluster, size_t cluster_length, bool seen) {
  const struct asked asked = {
      .method = {method, method_length}, .version = {version, version_length}, .said_in = said_in};
  const envoy_buffer whole = {path, path_length}, begins_with = {prefix, prefix_length},
                     goes_to = {cluster, cluster_length};
  size_t key = method_length + path_length + version_length;
  if (script != store.script || store.capacity == 0 || key > LONGEST_KEY ||
      prefix_length > LONGEST_PREFIX || cluster_length > LONGEST_CLUSTER || cut > path_length) {
    return false;
  }
  if (!has_tables()) return false;
  struct entry *before = find(&asked, whole);
  if (before && says(before, cut, begins_with, goes_to, seen)) return true;
  uint64_t id_hash = mixed(seed.start, id, id_length);
  uint8_t of_id = count_of_id(id_hash);
  if (of_id == MOST_OF_AN_ID) {
    if (before) before->gone = true;
    return false;
  }
  /* What is asked for comes back at the price of one run of Lua each. */
  if (store.count >= store.capacity || store.bytes > BYTES_FOR_EACH * store.capacity + CHUNK * 2) {
    forget_all();
    of_id = 0;
  }
  struct entry *entry = new_entry(key + prefix_length + cluster_length);
  if (!entry) return false;
  *entry = (struct entry){
      .hash = key_hash(asked.method, whole, asked.version, said_in),
      .id_hash = id_hash,
      .method = (uint16_t)method_length,
      .path = (uint16_t)path_length,
      .version = (uint16_t)version_length,
      .prefix = (uint16_t)prefix_length,
      .cluster = (uint16_t)cluster_length,
      .cut = (uint16_t)cut,
      .of_id = (uint8_t)(of_id + 1),
      .said_in = said_in,
      .seen = seen,
  };
  char *at = entry->bytes;
  at = mempcpy(at, method, method_length);
  at = mempcpy(at, path, path_length);
  at = mempcpy(at, version, version_length);
  at = mempcpy(at, prefix, prefix_length);
  memcpy(at, cluster, cluster_length);
  /* In front of what was said of the same before. */
  struct entry **place = &store.by_key[entry->hash & store.mask];
  entry->next = *place;
  *place = entry;
  place = &store.by_id[entry->id_hash & store.mask];
  entry->next_of_id = *place;
  *place = entry;
  store.count++;
  return true;
}

/* ------------------------------------------------------------------------- what Envoy asks */

static void note_version(struct asked *asked, envoy_buffer value, enum said_in where) {
  if (asked->said_in != NOWHERE || value.length == 0) asked->left_to_lua = true;
  asked->version = value;
  asked->said_in = (uint8_t)where;
}

/* Reads a header, and says whether it must go. */
static bool read_header(struct asked *asked, envoy_buffer name, envoy_buffer value) {
  if (name.length == 0) return false;
  switch (name.ptr[0]) {
  case ':':
    if (is(name, TEXT(":path"))) asked->path = value;
    if (is(name, TEXT(":method"))) asked->method = value;
    return false;
  case 'o':
    if (is(name, TEXT("openstack-api-version"))) note_version(asked, value, STANDARD);
    return false;
  case 'x':
    if (begins(name, TEXT("x-envoy-"))) return true;
    if (begins(name, TEXT("x-trio2o-"))) {
      if (!is(name, TEXT("x-trio2o-explain"))) return true;
      asked->left_to_lua = true;
    }
    if (is(name, TEXT("x-openstack-nova-api-version"))) note_version(asked, value, LEGACY);
    return false;
  default:
    return false;
  }
}

/* What becomes of a request: its new path, and where it goes; no `entry`: nothing does. */
struct decision {
  const struct entry *entry;
  size_t length;
  char path[LONGEST_PATH];
};

static void decide(struct decision *decision, const struct asked *asked) {
  decision->entry = NULL;
  if (!store.by_key || asked->left_to_lua || !asked->path.ptr || !asked->method.ptr) return;
  envoy_buffer path = asked->path;
  const char *mark = memchr(path.ptr, '?', path.length);
  if (mark) path.length = (size_t)(mark - path.ptr);
  const struct entry *entry = find(asked, path);
  if (!entry) return;
  size_t rest = asked->path.length - entry->cut;
  if (entry->prefix + rest > LONGEST_PATH) return;
  memcpy(decision->path, prefix_of(entry), entry->prefix);
  memcpy(decision->path + entry->prefix, asked->path.ptr + entry->cut, rest);
  decision->length = entry->prefix + rest;
  decision->entry = entry;
}

static void carry_out(void *request, const struct decision *decision) {
  const struct entry *entry = decision->entry;
  if (!entry) return;
  envoy_dynamic_module_callback_early_header_mutation_set_header(
      request, TEXT(":path"), (envoy_buffer){decision->path, decision->length});
  envoy_dynamic_module_callback_early_header_mutation_add_header(
      request, HEADERS[entry->seen], (envoy_buffer){cluster_of(entry), entry->cluster});
}

static void take_off(void *request, const envoy_header *headers, const size_t *places, size_t count) {
  /* To remove one is to free the others that have its name. */
  size_t length = 0;
  for (size_t index = 0; index < count; index++) length += headers[places[index]].key_length;
  char *names = needed(malloc(length + 1));
  size_t at = 0;
  for (size_t index = 0; index < count; index++) {
    const envoy_header *header = &headers[places[index]];
    memcpy(names + at, header->key_ptr, header->key_length);
    at += header->key_length;
  }
  /* `headers` are used for their lengths alone from here on. */
  at = 0;
  for (size_t index = 0; index < count; index++) {
    size_t size = headers[places[index]].key_length;
    envoy_dynamic_module_callback_early_header_mutation_remove_header(
        request, (envoy_buffer){names + at, size});
    at += size;
  }
  free(names);
}

bool envoy_dynamic_module_on_early_header_mutation_mutate(void *config, void *request) {
  (void)config;
  size_t count = envoy_dynamic_module_callback_early_header_mutation_get_headers_size(request);
  envoy_header few[MOST_HEADERS], *headers = few;
  size_t few_places[MOST_HEADERS], *places = few_places;
  if (count > MOST_HEADERS) {
    headers = needed(malloc(count * sizeof *headers));
    places = needed(malloc(count * sizeof *places));
  }
  /* Without them nothing could be taken off; Envoy always has some. */
  if (!envoy_dynamic_module_callback_early_header_mutation_get_headers(request, headers)) abort();
  struct asked asked = {.version = TEXT(""), .said_in = NOWHERE};
  size_t going = 0;
  for (size_t index = 0; index < count; index++) {
    const envoy_header *header = &headers[index];
    envoy_buffer name = {header->key_ptr, header->key_length};
    envoy_buffer value = {header->value_ptr, header->value_length};
    if (read_header(&asked, name, value)) places[going++] = index;
  }
  /* What was read holds until the first change. */
  struct decision decision;
  decide(&decision, &asked);
  if (going) take_off(request, headers, places, going);
  carry_out(request, &decision);
  if (headers != few) {
    free(headers);
    free(places);
  }
  return true;
}

void *envoy_dynamic_module_on_early_header_mutation_config_new(void *envoy, envoy_buffer name,
                                                               envoy_buffer config) {
  (void)envoy, (void)name, (void)config;
  return &seed;
}

void envoy_dynamic_module_on_early_header_mutation_config_destroy(void *config) { (void)config; }

const char *envoy_dynamic_module_on_program_init(void) {
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) return NULL;
  seed.odd |= 1;
  return TRIO2O_ABI_VERSION;
}
