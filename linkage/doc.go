// SPDX-License-Identifier: Apache-2.0

// Package linkage says which records of different sources likely tell of one event.
package linkage
