"""The pages of imports in the admin. Each view parses its request, calls one function, and shows the result.

upload → confirm → watch (live, then the result) → rejected rows, set-aside rows
            ↘       ↗              ↘ pause, resume, cancel
        watch → approve what the preview found
"""
