/* core/infer/adit-exit-costs.c - SPDX-License-Identifier: MIT */
#include "adit-exit-private.h"

#include "adit-cost.h"
#include "adit-feed.h"

/* What the answers of a network take: multiply-adds, or seconds on its device. */

double
adit_exit_answers_count_work(const AditExitAnswers *self, const GPtrArray *tensors,
                             gpointer user_data)
{
    g_autoptr(GArray) outputs = g_array_new(FALSE, TRUE, sizeof(AditProgramOutput));
    AditWork work = {0};

    if (tensors->len == 0)
        return 0;
    for (guint i = 0; i < tensors->len; i++) {
        AditProgramOutput output = {.kind = ADIT_OUTPUT_READ, .tensor = tensors->pdata[i]};

        g_array_append_val(outputs, output);
    }
    g_autoptr(AditProgram) program = adit_compile(
        self->graph, self->layout, NULL, 0, (AditProgramOutput *) outputs->data, outputs->len, 0);

    adit_program_add_work(program, 1, &work);
    return (double) work.multiply_adds;
}

/* ---- along the network ---- */

/**
 * Gauging: one call of adit_exit_answers_gauge().
 * @known: what has been computed on the way
 */
typedef struct {
    const AditExitAnswers *answers;
    gboolean alone;
    AditGauge gauge;
    gpointer user_data;
    GPtrArray *known;
    gboolean failed;
} Gauging;

static double
take(Gauging *self)
{
    double value = self->gauge(self->answers, self->known, self->user_data);

    self->failed = self->failed || value < 0;
    return value;
}

/* NULL: it is in none */
static AditLoop *
find_outermost(const AditTensor *tensor, guint *n)
{
    AditLoop *outermost = NULL;

    *n = 1;
    for (AditLoop *loop = tensor->graph->loop; loop != NULL; loop = loop->parent->loop) {
        *n *= loop->n;
        outermost = loop;
    }
    return outermost;
}

static gboolean
is_computed(const AditTensor *tensor)
{
    return tensor->kind == ADIT_TENSOR_OP || tensor->kind == ADIT_TENSOR_LAST;
}

static void
add_initials(GPtrArray *known, const AditLoop *loop)
{
    for (guint i = 0; i < loop->carries->len; i++) {
        const AditTensor *carry = loop->carries->pdata[i];

        if (is_computed(carry->initial))
            g_ptr_array_add(known, carry->initial);
    }
}

/* The loop's iterations without what hangs on them. */
static double
take_bare(Gauging *self, AditLoop *loop)
{
    guint before = self->known->len;

    for (guint i = 0; i < loop->carries->len; i++)
        g_ptr_array_add(self->known, adit_loop_last(loop, loop->carries->pdata[i]));
    double value = take(self);

    g_ptr_array_set_size(self->known, (int) before);
    return value;
}

/**
 * Member: a tensor of a loop's body, or of one inside it, that is an answer.
 * @n: iterations of all loops around it
 * @order: of its address in the order of building
 * @share: of one iteration: what it takes besides the members before it
 * @head: of one iteration: what it takes besides the loop itself; asked for alone
 */
typedef struct {
    AditTensor *tensor;
    guint n;
    guint order;
    double share;
    double head;
} Member;

static int
compare_members(gconstpointer a, gconstpointer b)
{
    const Member *one = a, *other = b;

    return (one->order > other->order) - (one->order < other->order);
}

/* (transfer full) (element-type Member): the tensors of the @n_picks picks from @first on, as they
 * were built: which of their iterations are asked for makes no difference. */
static GArray *
list_members(const GArray *picks, guint first, guint n_picks)
{
    GArray *members = g_array_new(FALSE, TRUE, sizeof(Member));
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (guint i = first; i < first + n_picks; i++) {
        const AditPick *pick = &g_array_index(picks, AditPick, i);
        Member member = {.tensor = pick->tensor, .order = pick->order};

        if (!g_hash_table_add(seen, pick->tensor))
            continue;
        find_outermost(pick->tensor, &member.n);
        g_array_append_val(members, member);
    }
    g_array_sort(members, compare_members);
    return members;
}

/* Number of picks from @first on that are in one loop. */
static guint
count_group(const GArray *picks, guint first)
{
    guint n, n_picks = 0;
    AditLoop *loop = find_outermost(g_array_index(picks, AditPick, first).tensor, &n);

    while (first + n_picks < picks->len &&
           find_outermost(g_array_index(picks, AditPick, first + n_picks).tensor, &n) == loop)
        n_picks++;
    return n_picks;
}

/* Iterations of the loops around both tensors, which share the outermost one. */
static guint
count_common(const AditTensor *one, const AditTensor *other)
{
    const AditLoop *common = NULL;
    guint n = 1;

    for (AditLoop *a = one->graph->loop; a != NULL && common == NULL; a = a->parent->loop) {
        for (AditLoop *b = other->graph->loop; b != NULL && common == NULL; b = b->parent->loop)
            common = a == b ? a : NULL;
    }
    for (; common != NULL; common = common->parent->loop)
        n *= common->n;
    return n;
}

/* How many of member @k's iterations are done when member @j answers for the @instance-th time. */
static double
count_done(const GArray *members, guint k, guint j, guint instance)
{
    const Member *done = &g_array_index(members, Member, k);
    const Member *answer = &g_array_index(members, Member, j);
    guint common = count_common(done->tensor, answer->tensor);
    guint each = done->n / common;

    if (k == j)
        return instance + 1;
    return instance / (answer->n / common) * each + (k < j ? each : 0);
}

static guint
find_member(const GArray *members, const AditTensor *tensor)
{
    guint j = 0;

    while (g_array_index(members, Member, j).tensor != tensor)
        j++;
    return j;
}

/* Exits of one loop and of those inside it. What its iterations hand on is counted with their first
 * member. */
static void
take_loop(Gauging *self, guint first, guint n_picks, double *costs)
{
    const GArray *picks = self->answers->picks;
    guint n, before_any = self->known->len;
    AditLoop *loop = find_outermost(g_array_index(picks, AditPick, first).tensor, &n);
    g_autoptr(GArray) members = list_members(picks, first, n_picks);

    add_initials(self->known, loop);
    double before = self->known->len > 0 ? take(self) : 0;
    double bare = self->alone ? take_bare(self, loop) : 0, last = before;

    for (guint j = 0; j < members->len; j++) {
        Member *member = &g_array_index(members, Member, j);

        g_ptr_array_add(self->known, adit_tensor_unroll(member->tensor));
        double value = take(self);

        member->share = (value - last) / member->n;
        last = value;
        if (!self->alone)
            continue;
        member->share = j == 0 ? (bare - before) / member->n : 0;
        member->head = (value - bare) / member->n;
        g_ptr_array_set_size(self->known, (int) self->known->len - 1);
    }
    for (guint i = first; i < first + n_picks; i++) {
        const AditPick *pick = &g_array_index(picks, AditPick, i);
        guint j = find_member(members, pick->tensor);

        costs[i] = before + g_array_index(members, Member, j).head;
        for (guint k = 0; k < members->len; k++)
            costs[i] +=
                g_array_index(members, Member, k).share * count_done(members, k, j, pick->instance);
    }
    if (self->alone)
        g_ptr_array_set_size(self->known, (int) before_any);
}

gboolean
adit_exit_answers_gauge(const AditExitAnswers *self, gboolean alone, AditGauge gauge,
                        gpointer user_data, double *costs)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    Gauging gauging = {self, alone, gauge, user_data, known, FALSE};

    for (guint i = 0; i < self->picks->len;) {
        guint n = count_group(self->picks, i), iterations;
        AditTensor *tensor = g_array_index(self->picks, AditPick, i).tensor;

        if (find_outermost(tensor, &iterations) != NULL) {
            take_loop(&gauging, i, n, costs);
            i += n;
            continue;
        }
        g_ptr_array_add(known, tensor);
        costs[i++] = take(&gauging);
        if (alone)
            g_ptr_array_set_size(known, 0);
    }
    return !gauging.failed;
}

/* ---- seconds ---- */

#define TRIALS  7
#define A_WHILE 1000 /* microseconds: of a trial, at least */

/**
 * Clock: what timing needs.
 */
typedef struct {
    const AditSplit *split;
    gsize rows;
    GError *error;
} Clock;

static gboolean
time_runs(const AditExitAnswers *self, Clock *clock, const AditProgram *program,
          AditExecutable *executable, double *shortest)
{
    AditDevice *device = adit_network_get_device(self->network);
    g_autofree double *lives = adit_lives_new(program, NULL);
    AditFeed feeds[ADIT_N_FEEDS];
    AditCall call = {.rows = clock->rows, .feeds = feeds, .lives = lives};

    *shortest = G_MAXDOUBLE;
    adit_feeds_set(feeds, program, clock->split, NULL, 0);
    for (guint i = 0; i < TRIALS + 1; i++) {
        gint64 begin = g_get_monotonic_time(), now = begin;
        guint n = 0;

        for (; now - begin < A_WHILE; n++) {
            adit_device_run(device, executable, &call);
            if (!adit_device_wait(device, &clock->error))
                return FALSE;
            now = g_get_monotonic_time();
        }
        /* the first trial makes what the others find made */
        if (i > 0)
            *shortest = MIN(*shortest, 1e-6 * (double) (now - begin) / n);
    }
    return TRUE;
}

/* A gauge; @user_data: a Clock. */
static double
measure_time(const AditExitAnswers *self, const GPtrArray *tensors, gpointer user_data)
{
    Clock *clock = user_data;
    AditDevice *device = adit_network_get_device(self->network);
    g_autoptr(GArray) outputs = g_array_new(FALSE, TRUE, sizeof(AditProgramOutput));
    double seconds = 0;

    for (guint i = 0; i < tensors->len; i++) {
        AditProgramOutput output = {.kind = ADIT_OUTPUT_READ, .tensor = tensors->pdata[i]};

        g_array_append_val(outputs, output);
    }
    g_autoptr(AditProgram) program = adit_compile(
        self->graph, adit_network_get_layout(self->network), NULL, 0,
        (AditProgramOutput *) outputs->data, outputs->len, adit_device_get_compile_flags(device));
    AditExecutable *executable =
        clock->error == NULL
            ? adit_device_prepare(device, program, adit_network_get_memory(self->network),
                                  clock->rows, self->experiment->seed, &clock->error)
            : NULL;

    if (executable == NULL || !time_runs(self, clock, program, executable, &seconds))
        seconds = -1;
    if (executable != NULL)
        adit_executable_free(device, executable);
    return seconds;
}

/* Where the heads of exits begin, in place of where they end. */
static void
leave_heads_out(AditExitAnswers *self)
{
    for (guint i = 0; i + 1 < self->picks->len; i++) {
        g_autofree char *address = g_strdup_printf(ADIT_EXITS_ROOT ".%u:in", i + 1);
        g_autoptr(GArray) found = adit_graph_pick(self->graph, address);
        AditPick *pick = &g_array_index(self->picks, AditPick, i);

        g_return_if_fail(found->len == 1);
        pick->tensor = g_array_index(found, AditPick, 0).tensor;
        pick->instance = g_array_index(found, AditPick, 0).instance;
    }
}

static void
answers_init_part(AditExitAnswers *self, AditNetwork *network, AditExitPart part)
{
    adit_exit_answers_init(self, network);
    if (part == ADIT_EXIT_TRUNK)
        leave_heads_out(self);
}

gboolean
adit_exit_table_measure_seconds(const AditExitTable *self, AditNetwork *network, AditExitPart part,
                                const AditSplit *split, gsize rows, double *seconds, GError **error)
{
    g_auto(AditExitAnswers) answers = {0};
    Clock clock = {.split = split, .rows = MIN(rows, split->rows)};

    answers_init_part(&answers, network, part);
    g_return_val_if_fail(answers.picks->len == self->n, FALSE);
    if (adit_exit_answers_gauge(&answers, part == ADIT_EXIT_ALONE, measure_time, &clock, seconds))
        return TRUE;
    g_propagate_error(error, clock.error);
    return FALSE;
}

void
adit_exit_table_count_work(const AditExitTable *self, AditNetwork *network, AditExitPart part,
                           double *work)
{
    g_auto(AditExitAnswers) answers = {0};

    answers_init_part(&answers, network, part);
    g_return_if_fail(answers.picks->len == self->n);
    adit_exit_answers_gauge(&answers, part == ADIT_EXIT_ALONE, adit_exit_answers_count_work, NULL,
                            work);
}
