"""Files that people upload: received, looked into, imported by a worker, and deleted.

The table `Upload` is the queue; messages to workers are wake-ups. `queue` decides who imports, `running` imports,
`acts` are what people do, `preview` and `overview` are what they see, `sweeping` tidies up.
"""
