/*
 * contract_text.h - the contract that a configuration names: its text.
 *
 * The primary hands the text to its nodes, and none of them reads the file, so
 * that all have the same one.  What is wrong with it is a mistake of the
 * configuration.
 */
#ifndef CONFIG_CONTRACT_TEXT_H
#define CONFIG_CONTRACT_TEXT_H

#include "config/config.h"

/*
 * Read and check the file that the option contract names.  0, with the text
 * (free it; NULL and 0 bytes: no contract); or -EINVAL with at least one line
 * in errors.
 */
WARN_UNUSED int config_contract_text(const struct config *config,
    struct config_errors *errors, char **ret_text, size_t *ret_len);

/* The same for those who want to know of mistakes only. */
WARN_UNUSED int config_contract_check(const struct config *config,
    struct config_errors *errors);

#endif /* CONFIG_CONTRACT_TEXT_H */
