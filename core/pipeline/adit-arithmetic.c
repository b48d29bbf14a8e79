/* core/pipeline/adit-arithmetic.c - SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "adit-substitute.h"

#define MAX_DEPTH 64

typedef struct {
    const char *text; /* all of it */
    const char *at;
    AditLookup lookup;
    gpointer user_data;
    GString *bound;
    char *message;
    guint depth;
} Calculator;

static const AditQuantity wrong = {.wrong = TRUE};

static AditQuantity read_sum(Calculator *self);

static G_GNUC_PRINTF(2, 3) AditQuantity fail(Calculator *self, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (self->message == NULL)
        self->message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return wrong;
}

static AditQuantity
from_integer(gint64 integer)
{
    return (AditQuantity){.is_integer = TRUE, .integer = integer, .number = (double) integer};
}

/* A whole result is an integer again: half of an even number is one. */
static AditQuantity
from_number(Calculator *self, double number)
{
    if (!isfinite(number))
        return fail(self, "$(%s) is not finite", self->text);
    if (fabs(number) < 9007199254740992.0 && number == floor(number))
        return from_integer((gint64) number);
    return (AditQuantity){.number = number};
}

char *
adit_quantity_to_string(AditQuantity quantity)
{
    return quantity.is_integer ? g_strdup_printf("%" G_GINT64_FORMAT, quantity.integer)
                               : adit_number_to_string(quantity.number);
}

static gsize
skip_blanks(Calculator *self)
{
    gsize n = strspn(self->at, " \t\n");

    self->at += n;
    return n;
}

static AditQuantity
read_number(Calculator *self)
{
    gsize length = strspn(self->at, "0123456789.");

    if (strncmp(self->at, "0x", 2) == 0)
        length = 2 + strspn(self->at + 2, "0123456789abcdefABCDEF");
    else if (self->at[length] == 'e' || self->at[length] == 'E') {
        length += 1 + (self->at[length + 1] == '-' || self->at[length + 1] == '+');
        length += strspn(self->at + length, "0123456789");
    }
    g_autofree char *text = g_strndup(self->at, length);
    g_autoptr(AditNode) node = adit_node_new_scalar(text, TRUE, NULL);
    AditScalar scalar = adit_node_get_scalar(node);

    self->at += length;
    g_string_append(self->bound, text);
    if (scalar.type != ADIT_SCALAR_INTEGER && scalar.type != ADIT_SCALAR_NUMBER)
        return fail(self, "'%s' is not a number", text);
    return scalar.type == ADIT_SCALAR_INTEGER && !scalar.huge ? from_integer(scalar.integer)
                                                              : from_number(self, scalar.number);
}

static AditQuantity
read_word(Calculator *self)
{
    gsize length = strspn(self->at, "abcdefghijklmnopqrstuvwxyz0123456789-");
    g_autofree char *word = g_strndup(self->at, length);
    AditQuantity quantity = self->lookup(word, self->user_data);

    self->at += length;
    if (quantity.wrong)
        return quantity;
    if (quantity.opaque) {
        g_string_append(self->bound, word);
        return quantity;
    }
    g_autofree char *value = adit_quantity_to_string(quantity);

    g_string_append_printf(self->bound, *value == '-' ? "(%s)" : "%s", value);
    return quantity;
}

static AditQuantity
read_unary(Calculator *self)
{
    skip_blanks(self);
    if (++self->depth > MAX_DEPTH)
        return fail(self, "$(...) is nested deeper than %d", MAX_DEPTH);
    AditQuantity result;

    if (*self->at == '-') {
        self->at++;
        g_string_append_c(self->bound, '-');
        result = read_unary(self);
        if (result.is_integer && result.integer != G_MININT64)
            result = from_integer(-result.integer);
        else
            result.number = -result.number;
    } else if (*self->at == '(') {
        self->at++;
        g_string_append_c(self->bound, '(');
        result = read_sum(self);
        skip_blanks(self);
        if (!result.wrong && *self->at != ')')
            return fail(self, "')' is missing in $(%s)", self->text);
        self->at += *self->at == ')';
        g_string_append_c(self->bound, ')');
    } else if (g_ascii_isdigit(*self->at) || *self->at == '.') {
        result = read_number(self);
    } else if (g_ascii_islower(*self->at)) {
        result = read_word(self);
    } else if (*self->at == '\0') {
        return fail(self, *self->text == '\0' ? "$() is empty" : "$(%s) ends too early",
                    self->text);
    } else {
        return fail(self, "'%.*s' has no meaning in $(%s)",
                    (int) (g_utf8_next_char(self->at) - self->at), self->at, self->text);
    }
    self->depth--;
    return result;
}

/* Takes an operator of @set if one comes next; 0: none. */
static char
take_operator(Calculator *self, const char *set)
{
    const char *before = self->at;
    gsize blanks = skip_blanks(self);
    char sign = *self->at;

    if (sign == '\0' || strchr(set, sign) == NULL) {
        self->at = before;
        return 0;
    }
    if (blanks == 0 || !g_ascii_isspace(self->at[1])) {
        fail(self, "'%c' stands between blanks in $(%s)", sign, self->text);
        return 0;
    }
    self->at++;
    g_string_append_printf(self->bound, " %c ", sign);
    return sign;
}

static gboolean
raise_integer(gint64 base, gint64 exponent, gint64 *result)
{
    *result = 1;
    if (base == 0 || base == 1 || base == -1) {
        *result = base == -1 && exponent % 2 == 0 ? 1 : exponent == 0 ? 1 : base;
        return TRUE;
    }
    for (; exponent > 0; exponent--)
        if (__builtin_mul_overflow(*result, base, result))
            return FALSE;
    return TRUE;
}

static AditQuantity
calculate(Calculator *self, AditQuantity a, char sign, AditQuantity b)
{
    gint64 integer = 0;
    gboolean whole = a.is_integer && b.is_integer, fits = TRUE;

    if (a.wrong || b.wrong)
        return wrong;
    if (a.opaque || b.opaque)
        return (AditQuantity){.opaque = TRUE};
    if (sign == '/' && b.number == 0)
        return fail(self, "$(%s) divides by zero", self->text);
    if (whole && sign == '+')
        fits = !__builtin_add_overflow(a.integer, b.integer, &integer);
    else if (whole && sign == '-')
        fits = !__builtin_sub_overflow(a.integer, b.integer, &integer);
    else if (whole && sign == '*')
        fits = !__builtin_mul_overflow(a.integer, b.integer, &integer);
    else if (whole && sign == '^' && b.integer >= 0)
        fits = raise_integer(a.integer, b.integer, &integer);
    else if (sign == '+')
        return from_number(self, a.number + b.number);
    else if (sign == '-')
        return from_number(self, a.number - b.number);
    else if (sign == '*')
        return from_number(self, a.number * b.number);
    else if (sign == '^')
        return from_number(self, pow(a.number, b.number));
    else if (whole && b.integer != -1 && a.integer % b.integer == 0)
        return from_integer(a.integer / b.integer);
    else
        return from_number(self, a.number / b.number);
    return fits ? from_integer(integer) : fail(self, "$(%s) is too large an integer", self->text);
}

static AditQuantity
read_power(Calculator *self)
{
    AditQuantity left = read_unary(self);

    if (left.wrong || take_operator(self, "^") == 0)
        return self->message != NULL ? wrong : left;
    if (++self->depth > MAX_DEPTH)
        return fail(self, "$(...) is nested deeper than %d", MAX_DEPTH);
    AditQuantity right = read_power(self);

    self->depth--;
    return calculate(self, left, '^', right);
}

static AditQuantity
read_product(Calculator *self)
{
    AditQuantity left = read_power(self);
    char sign;

    while (!left.wrong && (sign = take_operator(self, "*/")) != 0)
        left = calculate(self, left, sign, read_power(self));
    return self->message != NULL ? wrong : left;
}

static AditQuantity
read_sum(Calculator *self)
{
    AditQuantity left = read_product(self);
    char sign;

    while (!left.wrong && (sign = take_operator(self, "+-")) != 0)
        left = calculate(self, left, sign, read_product(self));
    return self->message != NULL ? wrong : left;
}

AditQuantity
adit_arithmetic(const char *text, AditLookup lookup, gpointer user_data, GString *bound,
                char **message)
{
    Calculator calculator = {text, text, lookup, user_data, bound, NULL, 0};
    AditQuantity result = read_sum(&calculator);

    skip_blanks(&calculator);
    if (!result.wrong && *calculator.at != '\0')
        result =
            fail(&calculator, "an operator is missing before '%s' in $(%s)", calculator.at, text);
    *message = calculator.message;
    return result;
}
