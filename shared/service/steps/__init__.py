"""The use-cases of one machine as steps that functions run: each looks at the store, does what is missing, and may be run again."""
