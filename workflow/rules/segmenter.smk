rule segmenter:
    input:
        manifests=manifests_of,
        checks=all_shards_of("dataset"),
        labels=all_shards_of("labels"),
        mattes=all_shards_of("mattes"),
        list=list_of,
        settings="results/segmenter/{key}/settings.yaml",
        start=start_of,
        code=code_of("segmenter"),
    output:
        weights="results/segmenter/{key}/model.safetensors",
        beside=multiext("results/segmenter/{key}/", "config.json", "history.csv"),
    log:
        "logs/segmenter/{key}.log",
    conda:
        "../../envs/matlabel.yaml"
    threads: threads_of
    resources:
        mem_mb=memory_of,
        runtime=minutes_of,
        cpus_per_task=cores_of,
        mpi=on_several_machines(lambda settings: "srun"),
        nodes=nodes_of,
        tasks=on_several_machines(lambda settings: settings.processes),
        # Not a multiple of the GPUs, as the executor has it without this.
        tasks_per_gpu=on_several_machines(lambda settings: -1),
        gpu=gpus_of,
        device=plan.config.device,
        workers=workers_of,
        slurm_extra=on_several_machines(shares_of),
        # A resource and not a parameter: no part of the result.
        launch=launch_of,
    params:
        code=sources_digest("segmenter"),
        labels=folder_option("labels"),
        mattes=folder_option("mattes"),
        cam=lambda wildcards: option("cam", cam_of(wildcards)),
    # A scheduler signals every process of a job: shell and tee outlive the training, which ends by itself.
    shell:
        "trap '' TERM; {resources.launch} matlabel segmenter --settings {input.settings} --dataset {input.list} {params.labels} {params.mattes}"
        " {params.cam}"
        " --out {output.weights} --device {resources.device} --workers {resources.workers} --code {params.code} 2>&1 | tee {log}"
