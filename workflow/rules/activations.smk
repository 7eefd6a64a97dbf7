rule activations:
    input:
        manifest=manifest_of,
        checks=checks_of,
        weights=weights_of("cam"),
        settings="results/activations/{key}/settings.yaml",
        code=code_of("activations"),
    output:
        "results/activations/{key}/shard-{shard}.h5",
    log:
        "logs/activations/{key}/{shard}.log",
    threads: threads_of
    resources:
        gpu=gpus_of,
        device=plan.config.device,
    params:
        code=sources_digest("activations"),
    shell:
        "matlabel activations --settings {input.settings} --dataset {input.manifest} --weights {input.weights}"
        " --out {output} --device {resources.device} --code {params.code} > {log} 2>&1"
