/* core/pipeline/adit-yaml-error.h - SPDX-License-Identifier: MIT */
#pragma once

#include <yaml.h>

#include "adit-node.h"

G_BEGIN_DECLS

/* The text at a mark, or the end of its line. */
const char *adit_yaml_locate(const AditSource *source, yaml_mark_t mark);
/* The run of text there that a plain scalar could be: up to a blank, a comma or a bracket. */
char *adit_yaml_cut(const char *text);
AditPlace adit_yaml_place(AditSource *source, yaml_mark_t mark, guint length);
/* Says in the language's words why the parser stopped. @open: (element-type AditPlace): the flow
 * collections that are open, outermost first. */
void adit_yaml_report(const yaml_parser_t *parser, AditSource *source, GArray *open,
                      AditDiagnostics *diagnostics);

G_END_DECLS
