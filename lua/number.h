/* Reading decimal numbers. Pure. */
#ifndef RAYOS_LUA_NUMBER_H
#define RAYOS_LUA_NUMBER_H

/*
 * As strtod in locale "C", to the last bit, but in time that grows with the
 * length of the text, not with its square: a script chooses how long a numeral
 * is.
 */
double number_parse(const char *s, char **end);

#endif
