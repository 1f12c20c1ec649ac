"""A log sink that writes down all that LiteLLM gives to one. It runs in the proxies that tests start.

`running_proxy` puts this file beside a proxy's config. It overrides no hook that sees answers on their way:
pictures would go LiteLLM's way then.
"""

import os
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

RECORD = "recorded.log"
# What LiteLLM's proxy itself puts into the request that it shows when one fails, of text models too: the
# client's headers as they came, and the deployment of a stream that has begun.
LITELLMS_OWN = ("secret_fields", "deployment")


# What LiteLLM refuses at its door, or calls itself, has nothing to do with us.
MARK = "imagegen_serves"


def _write(what: str, kwargs: Any, *values: object) -> None:
    if not (kwargs or {}).get(MARK):
        return
    values = kwargs, *values
    line = f"{what} {values!r}\n".encode(errors="replace")
    file = os.open(RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, line)  # whole, whichever thread it comes from
    finally:
        os.close(file)


def _write_fallback(what: str, model_group: Any, kwargs: Any, exception: Any) -> None:
    _write(what, {**kwargs, MARK: True}, model_group, exception)


class Recorder(CustomLogger):
    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:
        _write("pre_api_call", kwargs, model, messages)

    async def async_log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:
        _write("async_pre_api_call", kwargs, model, messages)

    def log_post_api_call(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        _write("post_api_call", kwargs, response_obj)

    def log_stream_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        _write("stream", kwargs, response_obj)

    async def async_log_stream_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        _write("async_stream", kwargs, response_obj)

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        _write("success", kwargs, response_obj)

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        _write("async_success", kwargs, response_obj)

    def log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        _write("failure", kwargs, response_obj)

    async def async_log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        _write("async_failure", kwargs, response_obj)

    async def async_post_call_failure_hook(
        self,
        request_data: Any,
        original_exception: Any,
        user_api_key_dict: Any,
        traceback_str: str | None = None,
    ) -> None:
        shown = {name: value for name, value in request_data.items() if name not in LITELLMS_OWN}
        details = getattr(request_data.get("litellm_logging_obj"), "model_call_details", None)
        _write("failure_hook", details, shown, original_exception, user_api_key_dict, traceback_str)

    async def log_success_fallback_event(
        self, original_model_group: Any, kwargs: Any, original_exception: Any
    ) -> None:
        _write_fallback("success_fallback", original_model_group, kwargs, original_exception)

    async def log_failure_fallback_event(
        self, original_model_group: Any, kwargs: Any, original_exception: Any
    ) -> None:
        _write_fallback("failure_fallback", original_model_group, kwargs, original_exception)


recorder = Recorder()
