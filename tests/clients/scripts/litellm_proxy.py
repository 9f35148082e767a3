"""LiteLLM's proxy in front of the upstream, called by an application: its configuration is the first argument."""

import os
import pathlib
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import calls
from openai import OpenAI

MODELS = """
model_list:
  - model_name: "*"
    litellm_params: {model: "openai/*", api_base: os.environ/UPSTREAM, api_key: sk-upstream, num_retries: 0}
router_settings: {num_retries: 0, disable_cooldowns: true}
"""

with socket.create_server(("127.0.0.1", 0)) as listener:
    port = listener.getsockname()[1]
with tempfile.TemporaryDirectory() as folder:
    config = pathlib.Path(folder, "config.yaml")
    config.write_text(MODELS + "litellm_settings: " + sys.argv[1] + "\n")
    key = "sk-" + secrets.token_hex(24)
    environment = os.environ | {"UPSTREAM": os.environ["OPENAI_BASE_URL"], "LITELLM_MASTER_KEY": key}
    command = ["litellm", "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    proxy = subprocess.Popen(command, env=environment)
    try:
        while proxy.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=2).read()
                break
            except OSError:
                time.sleep(0.1)
        calls.make(OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=key))
        time.sleep(8)  # it sends every five seconds
    finally:
        proxy.terminate()
        proxy.wait(30)
